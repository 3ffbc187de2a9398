-- From here to the end of the transaction as the server's plain role, in one organization: with its row-level security.
begin;
set local role holdfast_server;
set local holdfast.organization_id = '{organization}';
