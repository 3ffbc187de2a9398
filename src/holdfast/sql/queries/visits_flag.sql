-- Flags visits that need someone's decision; the ids of those that were not flagged so.
update appointments a
set needs_action = $3, version = a.version + 1, updated_at = $4
where a.organization_id = $1 and a.id = any ($2::uuid[]) and a.needs_action is distinct from $3
returning a.id
