-- The zone on whose wall a block recurs: its room's clinic's, else the one in which all its attendees work, else the
-- organization's.
select coalesce(
  (select c.time_zone
   from rooms r
   join clinics c on c.organization_id = $1 and c.id = r.clinic_id
   where r.organization_id = $1 and r.id = $3),
  (select min(c.time_zone)
   from practitioner_clinics p
   join clinics c on c.organization_id = $1 and c.id = p.clinic_id
   where p.organization_id = $1 and p.practitioner_id = any ($2::uuid[])
   having count(distinct c.time_zone) = 1),
  o.time_zone)
from organizations o
where o.organization_id = $1
