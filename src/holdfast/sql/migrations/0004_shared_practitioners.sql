-- migrate:up
alter table services add column shares_practitioner boolean not null default false;

-- migrate:down
-- squawk-ignore ban-drop-column
alter table services drop column shares_practitioner;
