-- Opens a writing transaction for one organization whose statements may take as long as there are rows to delete.
begin transaction isolation level read committed read write;
set local holdfast.organization_id = '{organization}';
set local statement_timeout = 0;
set local transaction_timeout = 0
