-- Claims for a closure or time off the time of some resources that is free now, on every seat, in pieces of at most
-- a UTC day. What others hold stays theirs; calling it again fills what they have let go.
create or replace function claim_free_time(
  organization uuid, resources uuid[], from_time timestamptz, to_time timestamptz, claim_kind text,
  closure uuid, absence uuid)
returns void
language sql volatile
as $$
  insert into claims (
    organization_id, resource_id, seat, starts_at, ends_at, kind, closure_id, time_off_id)
  select organization, s.resource_id, s.seat, lower(free.during), upper(free.during), claim_kind,
         closure, absence
  from resource_seats s
  cross join lateral (
    select coalesce(range_agg(c.during), '{}') as during
    from claims c
    where c.organization_id = organization and c.resource_id = s.resource_id and c.seat = s.seat
      and c.starts_at < to_time and c.starts_at > from_time - interval '26 hours' and c.ends_at > from_time) taken
  cross join lateral generate_series(date_trunc('day', from_time, 'UTC'), to_time, interval '24 hours') d(midnight)
  cross join lateral unnest(
    tstzmultirange(tstzrange(greatest(d.midnight, from_time),
                             greatest(d.midnight, from_time, least(d.midnight + interval '24 hours', to_time)), '[)'))
    - taken.during) free(during)
  where s.organization_id = organization and s.resource_id = any (resources);
$$;
