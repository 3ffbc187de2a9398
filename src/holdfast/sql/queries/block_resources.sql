-- What blocks must know of the practitioners and rooms that they want: those that are there.
select p.id::text, 'practitioner' as kind, p.name, p.concurrent_visits_max as seats, p.is_active,
       true as is_available
from practitioners p
where p.organization_id = $1 and p.id = any ($2::uuid[])
union all
select r.id::text, 'room', 'Room ' || r.number, r.concurrent_visits_max, r.is_active, r.is_available
from rooms r
where r.organization_id = $1 and r.id = any ($3::uuid[])
