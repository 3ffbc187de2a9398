-- The sessions of a list, newest first, at most `most`: of a practitioner, a patient or a visit, in one state, of visits that
-- begin in a span, where each is given. One of the sources is read, the narrowest that what is named has an index for:
-- of a visit, a patient or a practitioner all that there are; of an organization the visits of the span, or the newest
-- sessions or drafts only.
create or replace function sessions_found(
  organization uuid, practitioner uuid, patient uuid, appointment uuid, is_signed boolean, first timestamptz,
  last timestamptz, most integer)
returns table (id uuid)
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select s.id
  from (
    select s.* from sessions s where s.organization_id = organization and s.appointment_id = appointment
    union all
    select s.* from sessions s
    where s.organization_id = organization and s.patient_id = patient and appointment is null
    union all
    select s.* from sessions s
    where s.organization_id = organization and s.practitioner_id = practitioner and appointment is null
      and patient is null
    union all
    (select s.* from sessions s
    where s.organization_id = organization and coalesce(appointment, patient, practitioner) is null
      and coalesce(first, last) is null and is_signed is false and s.signed_at is null
    order by s.id desc
    limit most)
    union all
    (select s.* from sessions s
    where s.organization_id = organization and coalesce(appointment, patient, practitioner) is null
      and coalesce(first, last) is null and is_signed is distinct from false
      and (is_signed is null or s.signed_at is not null)
    order by s.id desc
    limit most)
    union all
    select s.*
    from clinics c
    cross join lateral (
      select a.id from appointments a
      where a.organization_id = organization and a.clinic_id = c.id
        and a.starts_at >= coalesce(first, '-infinity') and a.starts_at < coalesce(last, 'infinity')
      order by a.starts_at
      offset 0) a
    cross join lateral (
      select s.* from sessions s where s.organization_id = organization and s.appointment_id = a.id
      offset 0) s
    where c.organization_id = organization and coalesce(appointment, patient, practitioner) is null
      and coalesce(first, last) is not null) s
  where (practitioner is null or s.practitioner_id = practitioner) and (patient is null or s.patient_id = patient)
    and (is_signed is null or is_signed = (s.signed_at is not null))
    and (first is null and last is null or (
      select (first is null or a.starts_at >= first) and (last is null or a.starts_at < last) from appointments a
      where a.organization_id = organization and a.id = s.appointment_id))
  order by s.id desc
  limit most
$$;
