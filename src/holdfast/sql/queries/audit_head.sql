-- The head that an organization's audit chain must lead to, and whether there are rows that no link is about.
select t.seq, t.batch_count, t.audit_hash,
       coalesce((select min(a.batch_no) from audit a where a.organization_id = $1) < 1
         or (select max(a.batch_no) from audit a where a.organization_id = $1) > t.batch_count, false) as has_stray
from turns t
where t.organization_id = $1
