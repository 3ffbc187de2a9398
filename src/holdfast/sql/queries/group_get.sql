-- One group as events tell of it, how it stands beside, and the seq it is true at. Nothing if there is none.
select d.document::text as document, d.members_count, d.needs_action, t.seq
from turns t
cross join block_groups($1, array[$2::uuid]) d
where t.organization_id = $1
