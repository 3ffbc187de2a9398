-- A hold that has not ended claims its practitioner's time until it expires; one that has ended claims nothing.
select h.id, h.ended_as, count(c.hold_id) as claims
from holds h
left join claims c on c.organization_id = $1 and c.hold_id = h.id and c.expires_at = h.expires_at
where h.organization_id = $1
group by h.id, h.ended_as, h.practitioner_id
having case when h.ended_as is null
  then count(*) filter (where c.resource_id = h.practitioner_id and c.kind = 'hold') = 0
  else count(c.hold_id) > 0 end
