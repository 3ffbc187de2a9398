-- Links of the audit chain after a batch, each computed again over the stored link before it and its audit rows.
select b.batch_no, b.hash,
       b.hash = audit_link($1, b.batch_no, case when b.batch_no = 1 then '\x'::bytea else (
         select p.hash from batches p where p.organization_id = $1 and p.batch_no = b.batch_no - 1) end)
         is true as is_intact
from batches b
where b.organization_id = $1 and b.batch_no > $2
order by b.batch_no
limit $3
