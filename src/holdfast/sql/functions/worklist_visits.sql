-- The visits of one work list by its kind: at most `most`, earliest first. One of the four sources is read.
create or replace function worklist_visits(
  organization uuid, kind text, clinic uuid, practitioner uuid, given date, ahead_days integer, back_days integer,
  most integer)
returns table (id uuid, starts_at timestamptz)
language sql stable
as $$
  select f.id, f.starts_at
  from worklist_by_time(organization, kind, clinic, practitioner, given, ahead_days, back_days, most) f
  where kind in ('unconfirmed_tomorrow', 'no_authorization', 'late_cancellations', 'make_ups_owed')
  union all
  select f.id, f.starts_at from worklist_flagged(organization, kind, clinic, practitioner, given, most) f
  where kind in ('needs_action', 'unassigned_room')
  union all
  select f.id, f.starts_at from worklist_unsigned(organization, clinic, practitioner, given, most) f
  where kind = 'unsigned_notes'
  union all
  select f.id, f.starts_at from worklist_unfunded(organization, clinic, practitioner, most) f
  where kind = 'unfunded_units'
$$;
