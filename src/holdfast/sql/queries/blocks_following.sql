-- A block of a series and those after it, in order, as the API shows them.
select d.document::text as document
from blocks b
join block_documents($1) d on d.id = b.id
where b.organization_id = $1 and b.series_id = $2 and b.starts_at >= $3 and b.deleted_at is null
order by b.starts_at, b.id
