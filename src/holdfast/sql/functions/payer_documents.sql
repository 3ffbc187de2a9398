-- Payers as the API shows them.
create or replace function payer_documents(organization uuid)
returns table (id uuid, version integer, document json)
language sql stable
as $$
  select y.id, y.version, json_build_object(
    'id', y.id, 'name', y.name, 'rounding', y.rounding, 'rounding_scope', y.rounding_scope,
    'concurrent_policy', y.concurrent_policy, 'concurrent_pairs', y.concurrent_pairs, 'over_units', y.over_units,
    'codes_needing_authorization', y.codes_needing_authorization, 'week_start', y.week_start,
    'unit_caps', y.unit_caps, 'cap_policy', y.cap_policy,
    'is_active', y.is_active, 'version', y.version, 'created_at', as_instant(y.created_at),
    'updated_at', as_instant(y.updated_at))
  from payers y
  where y.organization_id = organization
$$;
