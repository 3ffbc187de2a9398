-- A signed session has its versions from the first on, a draft has none; the last says the minutes of its line.
select s.id, s.signed_at, w.counted, w.last_no
from sessions s
left join (
  select w.session_id, count(*) as counted, max(w.version_no) as last_no,
         (array_agg(w.minutes_actual order by w.version_no desc))[1] as minutes_actual
  from session_versions w
  where w.organization_id = $1
  group by w.session_id) w on w.session_id = s.id
left join appointment_lines l
  on l.organization_id = $1 and l.appointment_id = s.appointment_id and l.line_no = s.line_no
where s.organization_id = $1
  and not coalesce(case
    when s.signed_at is null then w.counted is null
    else w.counted = w.last_no and w.minutes_actual = l.minutes_actual
  end, false)
