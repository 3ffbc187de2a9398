-- A page of the authorizations that end soon, soonest first, each with whose it is.
with found as materialized (
  select f.id, f.end_date from worklist_authorizations($1, $5, $6, $7, $8, $4) f
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select json_build_object(
      'authorization', d.document,
      'patient_name', (
        select p.given_name || ' ' || p.family_name from patients p
        where p.organization_id = $1 and p.id = d.patient_id))::text
    from (select f.* from found f order by f.end_date, f.id offset $2 limit $3) f
    cross join lateral (select d.* from authorization_documents($1) d where d.id = f.id offset 0) d
    order by f.end_date, f.id) as items
