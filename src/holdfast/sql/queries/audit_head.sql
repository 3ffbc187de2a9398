-- The head that an organization's audit chain must lead to, and whether there are rows that no link is about.
select t.seq, t.batch_count, t.audit_hash,
       exists (
         select from audit a
         where a.organization_id = $1 and (a.batch_no < 1 or a.batch_no > t.batch_count)) as has_stray
from turns t
where t.organization_id = $1
