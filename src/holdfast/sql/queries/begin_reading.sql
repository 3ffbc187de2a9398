-- Opens a reading transaction for one organization: every statement in it sees the same snapshot.
begin transaction isolation level repeatable read read only;
set local holdfast.organization_id = '{organization}'
