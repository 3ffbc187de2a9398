-- migrate:up
-- The range is made of its bounds instead of given beside them. The table is written anew and its index built again,
-- under a lock: an exclusion cannot be added in steps.
-- squawk-ignore ban-drop-column
alter table claims drop column during;
alter table claims
  -- squawk-ignore adding-field-with-default
  add column during tstzrange not null generated always as (tstzrange(starts_at, ends_at, '[)')) stored,
  alter column during set storage plain;
-- squawk-ignore constraint-missing-not-valid
alter table claims add constraint claims_no_overlap exclude using gist (
  resource_id with =, during with &&, seat with =, organization_id with =);

-- migrate:down
-- squawk-ignore ban-drop-column
alter table claims drop column during;
alter table claims add column during tstzrange, alter column during set storage plain;
update claims set during = tstzrange(starts_at, ends_at, '[)');
-- squawk-ignore adding-not-nullable-field
alter table claims alter column during set not null;
-- squawk-ignore constraint-missing-not-valid
alter table claims add constraint claims_no_overlap exclude using gist (
  resource_id with =, during with &&, seat with =, organization_id with =);
-- squawk-ignore constraint-missing-not-valid
alter table claims add constraint claims_during_matches check (during = tstzrange(starts_at, ends_at, '[)'));
