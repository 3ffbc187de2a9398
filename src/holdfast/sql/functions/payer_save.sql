-- Writes one payer as its document says, new or changed.
create or replace function payer_save(organization uuid, document json, saved_at timestamptz)
returns void
language sql volatile
as $$
  insert into payers (
    organization_id, id, name, rounding, rounding_scope, concurrent_policy, concurrent_pairs, over_units,
    codes_needing_authorization, week_start, is_active, version, created_at, updated_at, unit_caps, cap_policy)
  select organization, d.id, d.name, d.rounding, d.rounding_scope, d.concurrent_policy, d.concurrent_pairs,
         d.over_units, d.codes_needing_authorization, d.week_start, d.is_active, d.version, saved_at, saved_at,
         d.unit_caps, d.cap_policy
  from json_populate_record(null::payers, document) d
  on conflict (organization_id, id) do update
    set name = excluded.name, rounding = excluded.rounding, rounding_scope = excluded.rounding_scope,
        concurrent_policy = excluded.concurrent_policy, concurrent_pairs = excluded.concurrent_pairs,
        over_units = excluded.over_units, codes_needing_authorization = excluded.codes_needing_authorization,
        week_start = excluded.week_start, is_active = excluded.is_active, version = excluded.version,
        updated_at = excluded.updated_at, unit_caps = excluded.unit_caps, cap_policy = excluded.cap_policy;
$$;
