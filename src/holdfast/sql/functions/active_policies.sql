-- The documents in force, widest scope first, as decisions read them.
create or replace function active_policies(organization uuid)
returns json
language sql stable
as $$
  select coalesce(json_agg(json_build_object(
    'id', p.id, 'scope', p.scope, 'scope_id', p.scope_id, 'version', p.version, 'rules', p.rules)
    order by array_position(array['organization', 'clinic', 'service', 'practitioner'], p.scope), p.scope_id), '[]')
  from policies p
  where p.organization_id = organization and p.status = 'active'
$$;
