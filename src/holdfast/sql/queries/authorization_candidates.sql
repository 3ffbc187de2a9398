-- What says which authorization a booking would use: the patient's and their payers, who covers the patient, how services
-- of the code count units, the organization's today.
select
  t.seq,
  (select (now() at time zone o.time_zone)::date from organizations o where o.organization_id = $1) as today,
  array(
    select distinct s.unit_basis
    from services s where s.organization_id = $1 and s.code = $3 and s.is_active) as bases,
  array(
    select d.document::text
    from authorizations z
    join authorization_documents($1) d on d.id = z.id
    where z.organization_id = $1 and z.patient_id = $2
    order by z.end_date, z.id) as candidates,
  array(
    select json_build_object('id', y.id, 'name', y.name, 'over_units', y.over_units)::text
    from payers y
    where y.organization_id = $1 and y.id in (
      select z.payer_id from authorizations z where z.organization_id = $1 and z.patient_id = $2)) as payers,
  (select p.booking_constraints::text from patients p where p.organization_id = $1 and p.id = $2) as constraints
from turns t
where t.organization_id = $1
