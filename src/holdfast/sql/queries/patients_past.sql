-- The visits of patients that keep their time, whether or not the rules in force ask for them.
select p.id::text, appointments_past($1, p.id)::text as past
from patients p
where p.organization_id = $1 and p.id = any($2)
