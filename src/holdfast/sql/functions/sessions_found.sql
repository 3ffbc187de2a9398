-- The sessions of a list, newest first, at most `most`: of a practitioner, a patient or a visit, in one state, of visits that
-- begin in a span, where each is given. One of the four sources is read: what is named most narrowly has an index.
create or replace function sessions_found(
  organization uuid, practitioner uuid, patient uuid, appointment uuid, is_signed boolean, first timestamptz,
  last timestamptz, most integer)
returns table (id uuid)
language sql stable
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
    select s.* from sessions s
    where s.organization_id = organization and appointment is null and patient is null and practitioner is null) s
  where (practitioner is null or s.practitioner_id = practitioner) and (patient is null or s.patient_id = patient)
    and (is_signed is null or is_signed = (s.signed_at is not null))
    and (first is null and last is null or (
      select (first is null or a.starts_at >= first) and (last is null or a.starts_at < last) from appointments a
      where a.organization_id = organization and a.id = s.appointment_id))
  order by s.id desc
  limit most
$$;
