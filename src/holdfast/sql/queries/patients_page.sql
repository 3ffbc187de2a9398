-- A page of patients by family name; filters: active, birth date, one of their contacts.
with found as materialized (
  select p.id, p.search_name
  from patients p
  where p.organization_id = $1
    and ($5::boolean is null or p.is_active = $5)
    and ($6::date is null or p.birth_date = $6)
    and ($7::uuid is null or exists (
      select from patient_contacts l
      where l.organization_id = $1 and l.patient_id = p.id and l.contact_id = $7))
  order by p.search_name collate "C", p.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.search_name collate "C", f.id offset $2 limit $3) f
    join patient_documents($1) d on d.id = f.id
    order by f.search_name collate "C", f.id) as items
