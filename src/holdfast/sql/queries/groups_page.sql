-- A page of groups that touch a range, by start: of a clinic, practitioner, and with or without the cancelled.
with found as materialized (
  select f.id, f.starts_at
  from block_groups_in_span($1, $5, $6, $7, $8, $9) f
  order by f.starts_at, f.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select json_build_object('group', d.document, 'members_count', d.members_count, 'needs_action', d.needs_action)::text
    from (select f.* from found f order by f.starts_at, f.id offset $2 limit $3) f
    cross join lateral block_groups($1, array[f.id]) d
    order by f.starts_at, f.id) as items
