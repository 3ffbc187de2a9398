-- One block as the API shows it, and the seq it is true at.
select d.document::text, t.seq
from turns t
join block_documents($1) d on d.id = $2
where t.organization_id = $1
