-- The work list expiring_credentials: those of active practitioners that end within some days of the date (today in the
-- organization's zone), soonest first, at most `most`, unless the same credential is held for longer too.
-- `practitioner`: theirs only. Who is assigned to no clinic works at each.
create or replace function worklist_credentials(
  organization uuid, clinic uuid, practitioner uuid, given date, alert_days integer, most integer)
returns table (practitioner_id uuid, credential_no smallint, valid_to date)
language sql stable
as $$
  select k.practitioner_id, k.position, k.valid_to
  from organizations o
  cross join lateral (select coalesce(given, (now() at time zone o.time_zone)::date) as day) w
  join practitioner_credentials k on k.organization_id = organization
  join practitioners p on p.organization_id = organization and p.id = k.practitioner_id and p.is_active
  where o.organization_id = organization and k.valid_to between w.day and w.day + alert_days
    and (practitioner is null or p.id = practitioner)
    and not exists (
      select from practitioner_credentials n
      where n.organization_id = organization and n.practitioner_id = k.practitioner_id and n.code = k.code
        and n.state is not distinct from k.state and (n.valid_to is null or n.valid_to > k.valid_to))
    and (clinic is null or exists (
      select from clinics c
      where c.organization_id = organization and c.id = clinic and (
        exists (
          select from practitioner_clinics pc
          where pc.organization_id = organization and pc.practitioner_id = p.id and pc.clinic_id = c.id)
        or not exists (
          select from practitioner_clinics pc
          where pc.organization_id = organization and pc.practitioner_id = p.id))))
  order by k.valid_to, k.practitioner_id, k.position
  limit most
$$;
