-- A page of policies, newest number first: of a scope, of whom it is, of a status, if one is given.
with found as materialized (
  select p.id, p.version
  from policies p
  where p.organization_id = $1
    and ($5::text is null or p.scope = $5)
    and ($6::uuid is null or p.scope_id = $6)
    and ($7::text is null or p.status = $7)
  order by p.version desc
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.version desc offset $2 limit $3) f
    join policy_documents($1) d on d.id = f.id
    order by f.version desc) as items
