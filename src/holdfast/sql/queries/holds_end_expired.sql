-- Ends holds that have expired, and gives their time back.
with gone as (
  delete from claims c where c.organization_id = $1 and c.hold_id = any ($2::uuid[]))
update holds h set ended_as = 'expired', ended_at = $3
where h.organization_id = $1 and h.id = any ($2::uuid[])
