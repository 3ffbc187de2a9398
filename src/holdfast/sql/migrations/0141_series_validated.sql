-- migrate:up
alter table appointments validate constraint appointments_series_fkey;

-- migrate:down
-- What is validated stays so until 0140 goes back.
select 1;
