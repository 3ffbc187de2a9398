-- Every block that stands, as events tell of it: without its label.
select b.id::text as id, json_build_object(
    'id', b.id, 'kind', b.kind,
    'practitioner_ids', array(
      select a.practitioner_id from block_attendees a
      where a.organization_id = $1 and a.block_id = b.id
      order by a.practitioner_id),
    'room_id', b.room_id, 'start', as_instant(b.starts_at), 'end', as_instant(b.ends_at), 'version', b.version,
    'series_id', b.series_id, 'created_at', as_instant(b.created_at), 'updated_at', as_instant(b.updated_at))::text
    as document
from blocks b
where b.organization_id = $1 and b.deleted_at is null and b.kind <> 'group'
