-- The payer that a name means: the one spelled so, else one that differs in case alone.
select y.id
from payers y
where y.organization_id = $1 and lower(y.name) = lower($2)
order by y.name = $2 desc, y.id
limit 1
