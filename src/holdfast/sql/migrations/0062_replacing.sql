-- migrate:up transaction:false
-- The runner opens no transaction here (transaction:false).
-- squawk-ignore ban-concurrent-index-creation-in-transaction
create index concurrently if not exists appointments_replacing on appointments (replaces_appointment_id, organization_id)
  where replaces_appointment_id is not null;

-- migrate:down transaction:false
drop index concurrently if exists appointments_replacing;
