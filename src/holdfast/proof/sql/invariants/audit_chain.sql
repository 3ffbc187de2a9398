-- Every link of the audit chain is the hash of the link before and of its own rows, every audit row is in a link, and
-- the turn holds the last link.
with links as (
  select b.batch_no, b.hash, lag(b.hash, 1, '\x'::bytea) over (order by b.batch_no) as previous
  from batches b
  where b.organization_id = $1
)
select 'broken link' as what, k.batch_no
from links k
where k.hash is distinct from audit_link($1, k.batch_no, k.previous)
union all
select 'row without a link', a.batch_no
from audit a
where a.organization_id = $1
  and not exists (select from batches b where b.organization_id = $1 and b.batch_no = a.batch_no)
union all
select 'other head', t.batch_count
from turns t
where t.organization_id = $1
  and t.audit_hash is distinct from coalesce((select k.hash from links k order by k.batch_no desc limit 1), '\x'::bytea)
