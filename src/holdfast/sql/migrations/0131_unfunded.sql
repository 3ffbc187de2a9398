-- migrate:up transaction:false
-- The runner opens no transaction here (transaction:false).
-- squawk-ignore ban-concurrent-index-creation-in-transaction
create index concurrently if not exists appointment_lines_unfunded on appointment_lines (practitioner_id, organization_id, starts_at)
  where unfunded_units > 0;

-- migrate:down transaction:false
drop index concurrently if exists appointment_lines_unfunded;
