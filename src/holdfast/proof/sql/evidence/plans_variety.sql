-- Rooms of five types, a quarter of them out of use, and some visits that did not take place.
with room as (
  update rooms r
  set room_type = (array['therapy', 'consult', 'gym', 'playroom', 'office'])[1 + r.number::integer % 5],
      is_available = r.number::integer % 4 <> 0
  where r.organization_id = $1
)
update appointments a
set status = 'no_show'
where a.organization_id = $1 and extract(hour from a.starts_at) = 9
