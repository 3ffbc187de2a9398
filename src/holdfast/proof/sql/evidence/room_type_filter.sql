-- The rooms of a clinic that are of one type and in use.
explain (analyze, buffers, costs off)
select r.id, r.number, r.name
from rooms r
where r.organization_id = $1 and r.clinic_id = $2 and r.room_type = $3 and r.is_available and r.is_active
order by r.display_order, r.number, r.id
