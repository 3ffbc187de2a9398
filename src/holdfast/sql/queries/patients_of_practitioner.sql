-- The patients that a practitioner has or had a visit with.
select array(
  select distinct a.patient_id
  from appointment_lines l
  join appointments a on a.organization_id = $1 and a.id = l.appointment_id
  where l.organization_id = $1 and l.practitioner_id = $2)
