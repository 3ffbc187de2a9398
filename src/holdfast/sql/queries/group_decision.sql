-- How a group's room was chosen: the decision and what it was made on.
select g.decision, n.body as grounds
from groups g
left join room_grounds n on n.organization_id = $1 and n.id = g.grounds_id
where g.organization_id = $1 and g.id = $2
