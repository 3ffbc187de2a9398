-- A visit's status, patient and one line, before its note is begun: who gives it, and whose session it has.
select a.status, a.version, a.patient_id, l.practitioner_id, s.id as session_id
from appointments a
left join appointment_lines l on l.organization_id = $1 and l.appointment_id = a.id and l.line_no = $3
left join sessions s
  on s.organization_id = $1 and s.appointment_id = a.id and s.line_no = $3 and s.practitioner_id = l.practitioner_id
where a.organization_id = $1 and a.id = $2
