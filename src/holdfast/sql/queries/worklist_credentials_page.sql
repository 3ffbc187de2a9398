-- A page of the credentials that end soon, soonest first, each with whose it is.
with found as materialized (
  select f.practitioner_id, f.credential_no, f.valid_to from worklist_credentials($1, $5, $6, $7, $8, $4) f
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select json_build_object('credential', json_build_object(
      'practitioner_id', p.id, 'practitioner_name', p.name, 'code', k.code, 'state', k.state,
      'valid_from', k.valid_from, 'valid_to', k.valid_to))::text
    from (
      select f.* from found f order by f.valid_to, f.practitioner_id, f.credential_no offset $2 limit $3) f
    join practitioner_credentials k
      on k.organization_id = $1 and k.practitioner_id = f.practitioner_id and k.position = f.credential_no
    join practitioners p on p.organization_id = $1 and p.id = f.practitioner_id
    order by f.valid_to, f.practitioner_id, f.credential_no) as items
