-- Opens a writing transaction for one organization: isolation set explicitly, the tenant as a statement of its own.
begin transaction isolation level read committed read write;
set local holdfast.organization_id = '{organization}'
