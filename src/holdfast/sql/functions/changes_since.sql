-- What has happened to an organization's time after a seq: where it stands now, and its events since, in order, at most
-- so many, each with that of its body which says whose time it was about.
create or replace function changes_since(organization uuid, after bigint, most integer)
returns text
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select json_build_object(
    'seq', t.seq, 'directory_seq', t.directory_seq,
    'events', (
      select json_agg(json_build_object(
        'kind', e.kind, 'id', e.body -> 'id', 'patient_id', e.body -> 'patient_id', 'room_id', e.body -> 'room_id',
        'practitioner_ids', e.body -> 'practitioner_ids', 'practitioner_id', e.body -> 'practitioner_id', 'lines', e.body -> 'lines',
        'start', e.body -> 'start', 'end', e.body -> 'end') order by e.seq)
      from (
        select e.seq, e.kind, e.body from events e
        where e.organization_id = organization and e.seq > after
        order by e.seq
        limit most) e))::text
  from turns t
  where t.organization_id = organization
$$;
