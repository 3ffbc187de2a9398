-- A page of break-glass requests, newest first; filters: whose alone, patient, who asked, status.
with found as materialized (
  select d.id, d.document
  from break_glass_documents($1) d
  where ($5::uuid is null or d.user_id = $5)
    and ($6::uuid is null or d.patient_id = $6)
    and ($7::uuid is null or d.user_id = $7)
    and ($8::text is null or d.status = $8)
  order by d.id desc
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(select f.document::text from found f order by f.id desc offset $2 limit $3) as items
