-- Work lists that look through the visits of some days: unconfirmed_tomorrow, no_authorization, late_cancellations and
-- make_ups_owed. At most `most` visits, earliest first; `practitioner`: with a line of theirs only. How far is looked
-- is bounded: ahead_days after the date and, for make-ups, back_days before it.
-- The inner orders are nobody's wish: they keep the planner from the wrong index while the tables are new, as in facts().
create or replace function worklist_by_time(
  organization uuid, kind text, clinic uuid, practitioner uuid, given date, ahead_days integer, back_days integer,
  most integer)
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
    select
      case kind
        when 'unconfirmed_tomorrow' then d.tomorrow_begins
        when 'no_authorization' then d.begins
        when 'late_cancellations' then greatest(d.begins, now())
        when 'make_ups_owed' then d.begins - back_days * interval '1 day'
      end as first,
      case kind
        when 'unconfirmed_tomorrow' then d.tomorrow_ends
        else d.begins + ahead_days * interval '1 day'
      end as last
    offset 0) s
  cross join lateral (
    select a.* from appointments a
    where a.organization_id = organization and a.clinic_id = d.clinic_id
      and a.starts_at >= s.first and a.starts_at < s.last
    order by a.starts_at, a.id
    offset 0) v
  where case kind
      when 'unconfirmed_tomorrow' then v.status = 'scheduled'
      when 'no_authorization' then v.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress') and (
        select true from appointment_lines l
        where l.organization_id = organization and l.appointment_id = v.id and l.billable and case
          when l.authorization_id is null then (
            select s.authorization_required from services s
            where s.organization_id = organization and s.id = l.service_id)
          else (
            select z.approval = 'cancelled' or z.end_date < (v.starts_at at time zone d.time_zone)::date
            from authorizations z
            where z.organization_id = organization and z.id between l.authorization_id and l.authorization_id
            order by z.id
            limit 1)
        end
        order by l.line_no
        limit 1)
      when 'late_cancellations' then v.status = 'cancelled' and v.cancelled_by is distinct from 'error'
        and (v.cancelled_late or v.starts_at < d.tomorrow_ends)
        and is_time_free(organization, v.id)
      when 'make_ups_owed' then v.status in ('cancelled', 'no_show') and v.cancelled_by is distinct from 'error'
        -- nobody makes up for it; a make-up that was an error does not
        and (
          select true from appointments r
          where r.organization_id = organization and r.replaces_appointment_id = v.id
            and r.cancelled_by is distinct from 'error'
          order by r.replaces_appointment_id
          limit 1) is null
    end
    and (practitioner is null or (
      select true from appointment_lines l
      where l.organization_id = organization and l.appointment_id = v.id and l.practitioner_id = practitioner
      order by l.line_no
      limit 1))
  order by v.starts_at, v.id
  limit most
$$;
