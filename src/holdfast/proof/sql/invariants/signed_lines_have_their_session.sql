-- A line is signed where its practitioner has signed a session of it, and then it has fixed minutes and units; such a line is
-- of a visit that stays completed.
select a.id, l.line_no, a.status, l.line_status, l.units_used, s.signed
from appointments a
join appointment_lines l on l.organization_id = a.organization_id and l.appointment_id = a.id
left join (
  select s.appointment_id, s.line_no, count(*) as signed, min(s.practitioner_id::text) as practitioner_id
  from sessions s
  where s.organization_id = $1 and s.signed_at is not null
  group by s.appointment_id, s.line_no) s on s.appointment_id = a.id and s.line_no = l.line_no
where a.organization_id = $1
  and not coalesce(case
    when l.line_status = 'signed' then a.status = 'completed' and l.units_used is not null
      and l.minutes_actual is not null and s.signed = 1 and s.practitioner_id = l.practitioner_id::text
    else l.units_used is null and s.signed is null
  end, false)
union all
select s.appointment_id, s.line_no, null, null, null, 1
from sessions s
where s.organization_id = $1 and s.signed_at is not null
  and not exists (
    select from appointment_lines l
    where l.organization_id = $1 and l.appointment_id = s.appointment_id and l.line_no = s.line_no)
