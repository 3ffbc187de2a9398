-- One closure as the API shows it, and the seq it is true at.
select d.document::text as document, t.seq
from turns t
join closure_documents($1) d on d.id = $2
where t.organization_id = $1
