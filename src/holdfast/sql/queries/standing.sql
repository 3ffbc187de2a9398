-- Where an organization stands and how far back its events are kept (null: none are).
select t.seq, (select min(e.seq) from events e where e.organization_id = t.organization_id) as first_seq
from turns t where t.organization_id = $1
