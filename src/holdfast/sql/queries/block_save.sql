-- Writes a block, new or over what is there.
insert into blocks (
  organization_id, id, kind, room_id, starts_at, ends_at, label_encrypted, version, created_at, updated_at, series_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)
on conflict (organization_id, id) do update
set kind = excluded.kind, room_id = excluded.room_id, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
    label_encrypted = excluded.label_encrypted, version = excluded.version, updated_at = excluded.updated_at
