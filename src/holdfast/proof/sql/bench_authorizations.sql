-- So many authorizations of one organization for the bench, its patients' in turn, each of more units than a run can
-- reserve; whoever signs in there is a biller.
with given as (
  select $1::uuid as organization, $2::uuid as payer, $3::uuid[] as patients, $4::uuid[] as authorizations
), payer as (
  insert into payers (organization_id, id, name) select g.organization, g.payer, 'Bench' from given g
), biller as (
  update users u set role = 'biller' from given g where u.organization_id = g.organization
)
insert into authorizations (
  organization_id, id, patient_id, payer_id, service_codes, total_units, start_date, end_date)
select g.organization, z.id, g.patients[1 + (z.n - 1) % cardinality(g.patients)], g.payer, '{BENCH}', 2000000000,
       date '2020-01-01', date '2060-01-01'
from given g
cross join unnest(g.authorizations) with ordinality z(id, n)
