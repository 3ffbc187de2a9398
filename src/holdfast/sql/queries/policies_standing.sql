-- Where the numbers of policies stand: the set in force, the highest number of a set, the highest number at all.
select t.policy_version, s.version_max as state_max, greatest(s.version_max, p.version_max) as version_max
from turns t
cross join lateral (
  select coalesce(max(version), 0) as version_max from policy_states where organization_id = $1) s
cross join lateral (
  select coalesce(max(version), 0) as version_max from policies where organization_id = $1) p
where t.organization_id = $1
