-- What a visit's or a group's room was chosen on is kept.
select a.id, a.grounds_id
from appointments a
where a.organization_id = $1 and a.grounds_id is not null
  and not exists (select from room_grounds g where g.organization_id = $1 and g.id = a.grounds_id)
union all
select a.id, a.grounds_id
from groups a
where a.organization_id = $1 and a.grounds_id is not null
  and not exists (select from room_grounds g where g.organization_id = $1 and g.id = a.grounds_id)
