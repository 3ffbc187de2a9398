-- One room plan as the API shows it, and the seq it is true at.
select room_plan_document($1, $2)::text as document, t.seq
from turns t
where t.organization_id = $1
