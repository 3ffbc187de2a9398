-- migrate:up
alter table closures add column version integer not null default 1;
alter table time_off add column version integer not null default 1;
alter table blocks add column series_id uuid;

-- Nothing that is released has written a series, so the index is empty and made at once.
-- squawk-ignore require-concurrent-index-creation
create index blocks_by_series on blocks (series_id, organization_id, starts_at) where series_id is not null;

-- Blocks are looked for by their series too. Nothing is released that would still call it without.
-- squawk-ignore ban-drop-function
drop function if exists blocks_in_span(uuid, timestamptz, timestamptz, uuid, uuid, uuid, text);

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists blocks_in_span(uuid, timestamptz, timestamptz, uuid, uuid, uuid, text, uuid);
-- squawk-ignore ban-drop-function
drop function if exists fill_absences(uuid, uuid[], timestamptz, timestamptz);
-- squawk-ignore ban-drop-function
drop function if exists flag_visits(uuid, uuid[], timestamptz);
-- squawk-ignore require-concurrent-index-deletion
drop index blocks_by_series;
-- squawk-ignore ban-drop-column
alter table blocks drop column series_id;
-- squawk-ignore ban-drop-column
alter table time_off drop column version;
-- squawk-ignore ban-drop-column
alter table closures drop column version;
