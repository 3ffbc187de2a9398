-- migrate:up transaction:false
-- The runner opens no transaction here (transaction:false).
-- squawk-ignore ban-concurrent-index-creation-in-transaction
create index concurrently if not exists appointments_without_room on appointments (clinic_id, organization_id, starts_at, id)
  where room_id is null and location = 'on_site';

-- migrate:down transaction:false
drop index concurrently if exists appointments_without_room;
