-- Policies as the API shows them.
create or replace function policy_documents(organization uuid)
returns table (id uuid, document json)
language sql stable
as $$
  select p.id, json_build_object(
    'id', p.id, 'version', p.version, 'scope', p.scope, 'scope_id', p.scope_id, 'status', p.status, 'rules', p.rules,
    'created_by', p.created_by, 'created_at', as_instant(p.created_at),
    'activated_at', as_instant(p.activated_at), 'ended_at', as_instant(p.ended_at))
  from policies p
  where p.organization_id = organization
$$;
