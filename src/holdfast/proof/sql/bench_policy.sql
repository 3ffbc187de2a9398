-- Puts a document of rules into force in an organization that has none.
with given as (
  select $1::uuid as organization, $2::uuid as policy, $3::json as rules
), policy as (
  insert into policies (organization_id, id, version, scope, rules, status, activated_as, created_at, activated_at)
  select g.organization, g.policy, 1, 'organization', g.rules, 'active', 1, now(), now() from given g
), state as (
  insert into policy_states (organization_id, version, policy_ids, version_before, activates, created_at)
  select g.organization, 1, array[g.policy], 0, g.policy, now() from given g
)
update turns t set policy_version = 1 from given g where t.organization_id = g.organization
