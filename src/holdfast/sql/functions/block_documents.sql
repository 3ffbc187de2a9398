-- Blocks as the API shows them, labels still sealed (hex); those that are deleted are not there, nor
-- groups (block_groups).
create or replace function block_documents(organization uuid)
returns table (id uuid, document json)
language sql stable
as $$
  select b.id, json_build_object(
    'id', b.id, 'kind', b.kind,
    'practitioner_ids', array(
      select a.practitioner_id from block_attendees a
      where a.organization_id = organization and a.block_id = b.id
      order by a.practitioner_id),
    'room_id', b.room_id, 'start', as_instant(b.starts_at), 'end', as_instant(b.ends_at),
    'label_encrypted', encode(b.label_encrypted, 'hex'), 'version', b.version,
    'series_id', b.series_id, 'created_at', as_instant(b.created_at), 'updated_at', as_instant(b.updated_at))
  from blocks b
  where b.organization_id = organization and b.deleted_at is null and b.kind <> 'group'
$$;
