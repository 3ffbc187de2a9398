-- An authorization's counters are the sum of its ledger's entries.
select z.id, z.used_units, z.scheduled_units, z.manual_units, e.used, e.scheduled, e.manual
from authorizations z
left join (
  select e.authorization_id,
         sum(case e.kind when 'reserve' then e.units when 'adjust' then 0 else -e.units end) as scheduled,
         sum(case when e.kind in ('consume', 'adjust') then e.units else 0 end) as used,
         sum(case when not e.is_manual then 0
                  else case e.kind when 'reserve' then e.units when 'adjust' then 0 else -e.units end end) as manual
  from authorization_entries e
  where e.organization_id = $1
  group by e.authorization_id) e on e.authorization_id = z.id
where z.organization_id = $1
  and (z.used_units, z.scheduled_units, z.manual_units)
    is distinct from (coalesce(e.used, 0), coalesce(e.scheduled, 0), coalesce(e.manual, 0))
