-- migrate:up
alter table resources validate constraint resources_kind_known;
alter table blocks validate constraint blocks_kind_known;
alter table claims validate constraint claims_kind_known;
alter table claims validate constraint claims_kind_of_owner;
alter table appointments validate constraint appointments_group_fkey;

-- migrate:down
-- What is validated stays so until 0160 goes back.
select 1;
