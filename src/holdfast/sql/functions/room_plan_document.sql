-- A room plan as the API shows it, with the names of now. It is outdated when a visit that would move has changed since.
create or replace function room_plan_document(organization uuid, plan uuid)
returns json
language sql stable
as $$
  select json_build_object(
    'id', p.id, 'clinic_id', p.clinic_id, 'date', p.on_date, 'kind', p.kind, 'as_of_seq', p.as_of_seq,
    'status', case
      when p.applied_at is not null then 'applied'
      when exists (
        select from jsonb_array_elements(p.moves) m
        join appointments a on a.organization_id = organization and a.id = (m ->> 'appointment_id')::uuid
        where a.version <> (m ->> 'version')::integer) then 'outdated'
      else 'proposed' end,
    'optimal', p.is_optimal,
    'gap', case when p.score_bound = 0 then 0
      else round((p.score_bound - p.score_after)::numeric / p.score_bound, 4)::double precision end,
    'total_score_before', p.score_before, 'total_score_after', p.score_after, 'total_score_bound', p.score_bound,
    'visits', p.visits,
    'moves', (
      select coalesce(json_agg(m.value || jsonb_build_object(
        'patient_name', n.given_name || ' ' || n.family_name,
        'room_number_before', b.number, 'room_number_after', r.number) order by m.ordinality), '[]')
      from jsonb_array_elements(p.moves) with ordinality m
      join appointments a on a.organization_id = organization and a.id = (m.value ->> 'appointment_id')::uuid
      join patients n on n.organization_id = organization and n.id = a.patient_id
      left join rooms b on b.organization_id = organization and b.id = (m.value ->> 'room_id_before')::uuid
      join rooms r on r.organization_id = organization and r.id = (m.value ->> 'room_id_after')::uuid),
    'unplaced', (
      select coalesce(json_agg(u.value || jsonb_build_object(
        'patient_name', n.given_name || ' ' || n.family_name) order by u.ordinality), '[]')
      from jsonb_array_elements(p.unplaced) with ordinality u
      join appointments a on a.organization_id = organization and a.id = (u.value ->> 'appointment_id')::uuid
      join patients n on n.organization_id = organization and n.id = a.patient_id),
    'created_by', p.created_by, 'created_at', as_instant(p.created_at), 'applied_at', as_instant(p.applied_at))
  from room_plans p
  where p.organization_id = organization and p.id = plan
$$;
