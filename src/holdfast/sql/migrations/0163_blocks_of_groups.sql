-- migrate:up transaction:false
-- The runner opens no transaction here (transaction:false).
-- squawk-ignore ban-concurrent-index-creation-in-transaction
create index concurrently if not exists blocks_of_groups on blocks (starts_at, organization_id)
  where kind = 'group';

-- migrate:down transaction:false
drop index concurrently if exists blocks_of_groups;
