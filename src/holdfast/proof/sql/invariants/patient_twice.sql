-- No patient is in two visits at once: from the visits' own lines, whatever the claims say.
select s.patient_id, s.appointment_id, s.starts_at, s.ends_before
from (
  select v.patient_id, v.appointment_id, lower(v.present) as starts_at,
         max(upper(v.present)) over (partition by v.patient_id order by lower(v.present), upper(v.present)
                                     rows between unbounded preceding and 1 preceding) as ends_before
  from (
    select a.patient_id, a.id as appointment_id, unnest(range_agg(tstzrange(l.starts_at, l.ends_at, '[)'))) as present
    from appointments a
    join appointment_lines l on l.organization_id = a.organization_id and l.appointment_id = a.id
    where a.organization_id = $1 and a.status not in ('cancelled', 'no_show') and l.patient_present
    group by a.patient_id, a.id) v) s
where s.starts_at < s.ends_before
