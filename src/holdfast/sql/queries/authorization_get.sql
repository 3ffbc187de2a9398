-- One authorization as the API shows it, and the seq that is true at; with a third argument only if it is one of
-- these patients'.
select t.seq, d.version, d.document::text as document
from turns t
join authorization_documents($1) d on d.id = $2
where t.organization_id = $1 and ($3::uuid[] is null or d.patient_id = any ($3))
