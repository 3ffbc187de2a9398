-- A patient's visits that keep their time: the last hundred that have begun, the next five hundred, and the first of all
-- (which says whether there was one before), as rules about earlier visits ask for them (rules/facts.py, Past).
create or replace function appointments_past(organization uuid, patient uuid)
returns json
language sql stable
as $$
  select coalesce(json_agg(json_build_array(
    a.id, date_part('epoch', a.starts_at)::bigint, a.room_id, array(
      select l.practitioner_id from appointment_lines l
      where l.organization_id = organization and l.appointment_id = a.id order by l.line_no))), '[]')
  from (
    (select a.id, a.starts_at, a.room_id from appointments a
     where a.organization_id = organization and a.patient_id = patient and a.status not in ('cancelled', 'no_show')
       and a.starts_at < now()
     order by a.starts_at desc limit 100)
    union
    (select a.id, a.starts_at, a.room_id from appointments a
     where a.organization_id = organization and a.patient_id = patient and a.status not in ('cancelled', 'no_show')
       and a.starts_at >= now()
     order by a.starts_at limit 500)
    union
    (select a.id, a.starts_at, a.room_id from appointments a
     where a.organization_id = organization and a.patient_id = patient and a.status not in ('cancelled', 'no_show')
     order by a.starts_at limit 1)) a
$$;
