-- Work lists that a small index knows: coming visits that need somebody's decision (needs_action), and those on site
-- without a room (unassigned_room). At most `most`, earliest first; `practitioner`: with a line of theirs only.
create or replace function worklist_flagged(
  organization uuid, kind text, clinic uuid, practitioner uuid, given date, most integer)
returns table (id uuid, starts_at timestamptz)
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select v.id, v.starts_at
  from clinic_days(organization, clinic, given) d
  cross join lateral (
    select f.* from (
      select a.id, a.starts_at, a.status from appointments a
      where kind = 'needs_action' and a.needs_action is not null
        and a.organization_id = organization and a.clinic_id = d.clinic_id and a.starts_at >= d.begins
      order by a.starts_at, a.id
      offset 0) f
    union all
    select f.* from (
      select a.id, a.starts_at, a.status from appointments a
      where kind = 'unassigned_room' and a.room_id is null and a.location = 'on_site'
        and a.organization_id = organization and a.clinic_id = d.clinic_id and a.starts_at >= d.begins
      order by a.starts_at, a.id
      offset 0) f) v
  where v.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress')
    and (practitioner is null or (
      select true from appointment_lines l
      where l.organization_id = organization and l.appointment_id = v.id and l.practitioner_id = practitioner
      order by l.line_no
      limit 1))
  order by v.starts_at, v.id
  limit most
$$;
