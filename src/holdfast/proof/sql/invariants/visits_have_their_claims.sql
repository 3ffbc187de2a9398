-- Every active visit has exactly its claims (patient and caregivers where present, each line's practitioner with travel
-- and buffer, the room and its turnover; of a group's member the patient and caregivers, and a seat of the group), and a
-- cancelled one or a no-show has none.
with active as (
  select a.id, a.patient_id, a.room_id, a.starts_at, a.ends_at, a.turnover_minutes, a.group_id
  from appointments a
  where a.organization_id = $1 and a.status not in ('cancelled', 'no_show')
), lines as (
  select l.appointment_id, v.patient_id, v.group_id, l.practitioner_id, l.patient_present, l.caregiver_id, l.starts_at, l.ends_at,
         l.starts_at - make_interval(mins => l.travel_before_minutes) as busy_from,
         l.ends_at + make_interval(mins => l.buffer_minutes) as busy_until
  from appointment_lines l
  join active v on v.id = l.appointment_id
  where l.organization_id = $1
), presence as (
  select l.appointment_id, w.person_id, unnest(range_agg(tstzrange(l.starts_at, l.ends_at, '[)'))) as present
  from lines l
  cross join lateral (values (case when l.patient_present then l.patient_id end), (l.caregiver_id)) w(person_id)
  where w.person_id is not null
  group by l.appointment_id, w.person_id
), wanted as (
  select p.appointment_id, p.person_id as resource_id, 'visit' as kind, lower(p.present) as starts_at,
         upper(p.present) as ends_at
  from presence p
  union all
  select l.appointment_id, l.practitioner_id, 'visit', l.busy_from, l.busy_until from lines l where l.group_id is null
  union all
  select v.id, v.group_id, 'visit', v.starts_at, v.ends_at from active v where v.group_id is not null
  union all
  select v.id, v.room_id, 'visit', v.starts_at, v.ends_at from active v
  where v.room_id is not null and v.group_id is null
  union all
  select v.id, v.room_id, 'turnover', v.ends_at, v.ends_at + make_interval(mins => v.turnover_minutes)
  from active v
  where v.room_id is not null and v.turnover_minutes > 0 and v.group_id is null
), held as (
  select c.appointment_id, c.resource_id, c.kind, c.starts_at, c.ends_at
  from claims c
  where c.organization_id = $1 and c.appointment_id is not null
)
(select 'missing' as what, w.* from (table wanted except all table held) w)
union all
(select 'too many' as what, h.* from (table held except all table wanted) h)
