-- migrate:up transaction:false
-- The runner opens no transaction here (transaction:false).
-- squawk-ignore ban-concurrent-index-creation-in-transaction
create index concurrently if not exists appointments_needing_action on appointments (clinic_id, organization_id, starts_at, id)
  where needs_action is not null;

-- migrate:down transaction:false
drop index concurrently if exists appointments_needing_action;
