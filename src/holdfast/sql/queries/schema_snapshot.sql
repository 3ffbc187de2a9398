-- the whole schema as sorted lines, to hold a fresh one against a migrated one; column order is left out,
-- since a migration can only append
with ours as (
  select oid, nspname from pg_namespace where nspname in ('public', 'holdfast_meta')
), of_extension as (
  select objid from pg_depend where deptype = 'e'
)
select format('relation %s.%s kind=%s options=%s rls=%s forced=%s grants=%s owner=%s',
              n.nspname, c.relname, c.relkind, c.reloptions, c.relrowsecurity, c.relforcerowsecurity,
              (select array_agg(acl::text order by acl::text) from unnest(c.relacl) acl),
              pg_get_userbyid(c.relowner)) as line
from pg_class c join ours n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.oid not in (select objid from of_extension)
union all
select format('column %s.%s.%s %s null=%s default=%s identity=%s generated=%s storage=%s collation=%s', n.nspname, c.relname,
              a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
              pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attstorage,
              a.attcollation::regcollation)
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join ours n on n.oid = c.relnamespace
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'c')
  and c.oid not in (select objid from of_extension)
union all
select format('constraint %s.%s %s %s', n.nspname, coalesce(c.relname, ''), k.conname, pg_get_constraintdef(k.oid))
from pg_constraint k
join ours n on n.oid = k.connamespace
left join pg_class c on c.oid = k.conrelid
union all
select format('index %s', pg_get_indexdef(i.indexrelid))
from pg_index i join pg_class c on c.oid = i.indexrelid join ours n on n.oid = c.relnamespace
union all
select format('policy %s.%s %s %s %s', p.schemaname, p.tablename, p.policyname, p.qual, p.with_check)
from pg_policies p join ours n on n.nspname = p.schemaname
union all
select format('function %s grants=%s owner=%s', pg_get_functiondef(p.oid),
              (select array_agg(acl::text order by acl::text) from unnest(p.proacl) acl), pg_get_userbyid(p.proowner))
from pg_proc p join ours n on n.oid = p.pronamespace
where p.prokind in ('f', 'p') and p.oid not in (select objid from of_extension)
union all
select format('trigger %s', pg_get_triggerdef(t.oid))
from pg_trigger t join pg_class c on c.oid = t.tgrelid join ours n on n.oid = c.relnamespace
where not t.tgisinternal
union all
select format('type %s.%s %s %s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
              (select array_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
from pg_type t join ours n on n.oid = t.typnamespace
where t.typtype in ('d', 'e') and t.oid not in (select objid from of_extension)
order by line
