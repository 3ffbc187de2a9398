-- Moves an invented authorization's counters by hand, with the entry that explains it.
with moved as (
  update authorizations
  set version = $3, used_units = $4, scheduled_units = $5, manual_units = $6, updated_at = $7
  where organization_id = $1 and id = $2 and version = $3 - 1
)
insert into authorization_entries (
  organization_id, authorization_id, entry_no, created_at, kind, units, is_manual, seq, actor_id)
values ($1, $2, $3, $7, $8, $9, true, $10, $11)
