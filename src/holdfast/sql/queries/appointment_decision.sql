-- How a visit's room was chosen: the decision and what it was made on.
select a.decision, g.body as grounds
from appointments a
left join room_grounds g on g.organization_id = $1 and g.id = a.grounds_id
where a.organization_id = $1 and a.id = $2
