-- In each scope one policy at most is in force, by an activation of its own; and those in force are exactly the set
-- that the turn points at. Number 0 is the set of none.
select 'a scope with two policies in force' as fault, min(p.id::text) as id
from policies p
where p.organization_id = $1 and p.status = 'active'
group by p.scope, p.scope_id
having count(*) > 1
union all
select 'in force by no activation of its own', p.id::text
from policies p
where p.organization_id = $1 and p.status = 'active' and not exists (
  select from policy_states s where s.organization_id = $1 and s.version = p.activated_as and s.activates = p.id)
union all
select 'not the set that the turn points at', t.policy_version::text
from turns t
left join policy_states s on s.organization_id = $1 and s.version = t.policy_version
where t.organization_id = $1 and array(
    select p.id from policies p where p.organization_id = $1 and p.status = 'active' order by p.id)
  is distinct from case when t.policy_version = 0 then '{}' else s.policy_ids end
