-- A second service of an organization for the bench, which needs an authorization, and one for every second patient, of
-- more units than any load reserves: so that what is loaded leaves entries in the ledger.
with given as (
  select $1::uuid as organization, $2::uuid as payer, $3::uuid as service, $4::uuid[] as patients, $5::uuid[] as authorizations
), payer as (
  insert into payers (organization_id, id, name) select g.organization, g.payer, 'Bench' from given g
), service as (
  insert into services (organization_id, id, name, code, duration_minutes, room_types, turnover_minutes,
                        authorization_required)
  select g.organization, g.service, 'Funded', 'FUNDED', 30, '{therapy}', 0, true from given g
)
insert into authorizations (
  organization_id, id, patient_id, payer_id, service_codes, total_units, start_date, end_date)
select g.organization, z.id, g.patients[2 * z.n], g.payer, '{FUNDED}', 2000000000, date '2000-01-01', date '2060-01-01'
from given g
cross join unnest(g.authorizations) with ordinality z(id, n)
