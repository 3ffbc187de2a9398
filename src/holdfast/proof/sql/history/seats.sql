-- Which resources of an organization have more seats than one, and how many.
select s.resource_id::text as resource_id, count(*) as seats
from resource_seats s
where s.organization_id = $1
group by s.resource_id
having count(*) > 1
