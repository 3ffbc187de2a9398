-- A page of the groups that need action, earliest first, each with how it stands.
with found as materialized (
  select f.id, f.starts_at from worklist_groups($1, $5, $6, $7, $8, $4) f
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select json_build_object('group', d.document::jsonb || jsonb_build_object(
      'members_count', d.members_count, 'needs_action', d.needs_action))::text
    from (select f.* from found f order by f.starts_at, f.id offset $2 limit $3) f
    cross join lateral block_groups($1, array[f.id]) d
    order by f.starts_at, f.id) as items
