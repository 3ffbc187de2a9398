-- A page of authorizations, the one that ends first first; filters: whose patients, patient, status, ends within
-- days of the organization's today, payer, service code.
with found as materialized (
  select z.id, z.end_date
  from authorizations z
  join authorization_documents($1) d on d.id = z.id
  where z.organization_id = $1
    and ($5::uuid[] is null or z.patient_id = any ($5))
    and ($6::uuid is null or z.patient_id = $6)
    and ($7::text is null or d.status = $7)
    and ($8::integer is null or z.end_date between (
      select (now() at time zone o.time_zone)::date from organizations o where o.organization_id = $1) and (
      select (now() at time zone o.time_zone)::date + $8 from organizations o where o.organization_id = $1))
    and ($9::uuid is null or z.payer_id = $9)
    and ($10::text is null or $10 = any (z.service_codes))
  order by z.end_date, z.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.end_date, f.id offset $2 limit $3) f
    join authorization_documents($1) d on d.id = f.id
    order by f.end_date, f.id) as items
