-- migrate:up transaction:false
-- The runner opens no transaction here (transaction:false).
-- squawk-ignore ban-concurrent-index-creation-in-transaction
create index concurrently if not exists appointments_by_group on appointments (group_id, organization_id)
  where group_id is not null;

-- migrate:down transaction:false
drop index concurrently if exists appointments_by_group;
