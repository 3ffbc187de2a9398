-- What a visit's room was chosen on is kept.
select a.id, a.grounds_id
from appointments a
where a.organization_id = $1 and a.grounds_id is not null
  and not exists (select from room_grounds g where g.organization_id = $1 and g.id = a.grounds_id)
