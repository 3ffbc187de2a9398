-- A page of practitioners by name; filters: active, part of the name, clinic, credential.
with found as materialized (
  select p.id, p.name
  from practitioners p
  where p.organization_id = $1
    and ($5::boolean is null or p.is_active = $5)
    and ($6::text is null or strpos(lower(p.name), lower($6)) > 0)
    and ($7::uuid is null or exists (
      select from practitioner_clinics c
      where c.organization_id = $1 and c.practitioner_id = p.id and c.clinic_id = $7))
    and ($8::text is null or exists (
      select from practitioner_credentials k
      where k.organization_id = $1 and k.practitioner_id = p.id and k.code = $8))
  order by p.name, p.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.name, f.id offset $2 limit $3) f
    join practitioner_documents($1) d on d.id = f.id
    order by f.name, f.id) as items
