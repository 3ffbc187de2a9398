-- The claims in the way of many requests at once (one organization), with the seq they are true at: for each asked
-- resource its claims that overlap the asked time, and the status of the visit that a claim belongs to. The lists go
-- together, place by place; `except_ids` names the visit that is not in its own way. The inner order keeps the
-- planner from the exclusion's index while the table is new, as in facts().
create or replace function claims_in_way(
  organization uuid, numbers integer[], kinds text[], resource_ids uuid[], span_starts timestamptz[],
  span_ends timestamptz[], except_ids uuid[])
returns text
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select json_build_object(
    'seq', t.seq, 'directory_seq', t.directory_seq,
    'claims', (
      select json_agg(json_build_array(
        w.n, w.kind, c.resource_id, c.seat, date_part('epoch', c.starts_at)::bigint,
        date_part('epoch', c.ends_at)::bigint, c.kind, c.appointment_id, c.status) order by w.n, w.kind, c.starts_at)
      from unnest(numbers, kinds, resource_ids, span_starts, span_ends, except_ids)
        w(n, kind, resource_id, starts_at, ends_at, except_id)
      cross join lateral (
        select c.resource_id, c.seat, c.starts_at, c.ends_at, c.kind, c.appointment_id, (
          select a.status from appointments a
          where a.organization_id = organization and a.id = c.appointment_id) as status
        from claims c
        where c.organization_id = organization and c.resource_id = w.resource_id
          and c.starts_at > w.starts_at - interval '26 hours' and c.starts_at < w.ends_at
          and c.ends_at > w.starts_at
          and (c.expires_at is null or c.expires_at > now())
          and (w.except_id is null or c.appointment_id is distinct from w.except_id)
        order by c.starts_at
        offset 0) c))::text
  from turns t
  where t.organization_id = organization
$$;
