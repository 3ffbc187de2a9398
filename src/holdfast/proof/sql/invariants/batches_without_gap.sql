-- An organization's transactions are numbered from one without a gap, each ends at a later event, and the turn stands
-- where the last of them left it.
select b.batch_no, b.seq_after, b.place
from (
  select b.batch_no, b.seq_after, row_number() over w as place, lag(b.seq_after, 1, 0::bigint) over w as seq_before
  from batches b
  where b.organization_id = $1
  window w as (order by b.batch_no)) b
where b.batch_no <> b.place or b.seq_after <= b.seq_before
union all
select t.batch_count, t.seq, n.batches
from turns t
cross join (
  select count(*) as batches, coalesce(max(b.seq_after), 0) as seq from batches b where b.organization_id = $1) n
where t.organization_id = $1 and (t.batch_count <> n.batches or t.seq <> n.seq)
