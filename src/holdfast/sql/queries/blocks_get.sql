-- Some blocks as the API shows them, by start.
select d.document::text as document
from block_documents($1) d
where d.id = any ($2::uuid[])
order by (d.document ->> 'start'), d.id
