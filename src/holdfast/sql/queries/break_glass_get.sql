-- One break-glass request as the API shows it, and the seq that is true at.
select t.seq, d.document::text as document
from turns t
join break_glass_documents($1) d on d.id = $2
where t.organization_id = $1
