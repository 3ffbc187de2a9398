-- A page of rooms by display order and number; filters: active, part of number or name, clinic, type, available.
with found as materialized (
  select r.id, r.display_order, r.number
  from rooms r
  where r.organization_id = $1
    and ($5::boolean is null or r.is_active = $5)
    and ($6::text is null or strpos(lower(r.number || ' ' || r.name), lower($6)) > 0)
    and ($7::uuid is null or r.clinic_id = $7)
    and ($8::text is null or r.room_type = $8)
    and ($9::boolean is null or r.is_available = $9)
  order by r.display_order, r.number, r.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.display_order, f.number, f.id offset $2 limit $3) f
    join room_documents($1) d on d.id = f.id
    order by f.display_order, f.number, f.id) as items
