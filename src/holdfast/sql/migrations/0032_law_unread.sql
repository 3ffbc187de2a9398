-- migrate:up
-- The law's index is built anew, under a lock, so that nothing in it is marked dead that is alive, and out of the reach of
-- reads (decision 0013).
-- squawk-ignore ban-drop-constraint
alter table claims drop constraint claims_no_overlap;
-- squawk-ignore constraint-missing-not-valid
alter table claims add constraint claims_no_overlap exclude using gist (
  resource_id with =, during with &&, seat with =, organization_id with =) where (starts_at < ends_at);

-- migrate:down
-- squawk-ignore ban-drop-constraint
alter table claims drop constraint claims_no_overlap;
-- squawk-ignore constraint-missing-not-valid
alter table claims add constraint claims_no_overlap exclude using gist (
  resource_id with =, during with &&, seat with =, organization_id with =);
