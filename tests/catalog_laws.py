"""The laws that a look into PostgreSQL's catalog can judge (scale.md, rules 1 and 3; grants; row-level security).

Each is a query that returns one line of text per fault. They look at schema public; partitions (the
hash-partitioned pass) lie in a schema of their own and inherit everything but privileges.
"""

from collections.abc import Mapping
from types import MappingProxyType

# Outside the tenant rule, by name: what is looked up before a tenant is known, and shared lookup tables.
GLOBAL_TABLES = ("login_directory",)
APPEND_ONLY = (
    "events",
    "audit",
    "batches",
    "authorization_entries",
    "denials",
    "policy_states",
    "break_glass_uses",
    "session_versions",
)
SERVICE = "holdfast_service"

_TABLES = f"""
with ours as (
  select c.oid, c.relname, c.relnamespace, c.relkind, c.relrowsecurity, c.relforcerowsecurity
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'f') and not c.relispartition
), tenant as (
  select o.*, a.attnum as tenant_column
  from ours o
  left join pg_attribute a on a.attrelid = o.oid and a.attname = 'organization_id' and not a.attisdropped
  where o.relname <> all (array{list(GLOBAL_TABLES)})
), keys as (
  select k.*, t.relname, t.tenant_column
  from tenant t
  join pg_constraint k on k.conrelid = t.oid
  where k.conparentid = 0
), functions as (
  select p.oid, p.proname, p.prosecdef, p.prokind, p.proargnames, p.proargtypes, p.proconfig, p.pronargs,
         p.provolatile,
         case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) else '' end as body
  from pg_proc p
  where p.pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
), service as (
  -- the group and every role that has its rights, without the superusers, who have everyone's
  select r.* from pg_roles r
  where r.rolname = '{SERVICE}' or (
    not r.rolsuper and pg_has_role(r.oid, '{SERVICE}', 'member')) or exists (
    select from pg_auth_members m join pg_roles g on g.oid = m.roleid
    where m.member = r.oid and g.rolname = '{SERVICE}')
)
"""

_LAWS: dict[str, str] = {
    "every table names its organization": """
        select relname from tenant t
        where tenant_column is null
          or not exists (
            select from pg_attribute a
            where a.attrelid = t.oid and a.attnum = t.tenant_column and a.attnotnull
              and a.atttypid = 'uuid'::regtype)""",
    "every table has a primary key": """
        select relname from ours o
        where not exists (select from pg_constraint k where k.conrelid = o.oid and k.contype = 'p')""",
    "every key contains the organization": """
        select format('%s.%s', relname, conname) from keys
        where contype in ('p', 'u', 'x', 'f') and tenant_column is not null and not tenant_column = any (conkey)""",
    "every unique index contains the organization": """
        select i.indexrelid::regclass::text
        from tenant t join pg_index i on i.indrelid = t.oid
        where (i.indisunique or i.indisexclusion) and t.tenant_column is not null
          and not t.tenant_column = any ((i.indkey::int2[])[0:i.indnkeyatts - 1])""",
    "every index contains the organization": """
        select i.indexrelid::regclass::text
        from tenant t join pg_index i on i.indrelid = t.oid
        where t.tenant_column is not null and not t.tenant_column = any (i.indkey::int2[])""",
    "exclusion compares the organization with =": """
        select format('%s.%s', relname, conname)
        from keys, unnest(conkey, conexclop) as part(attribute, operator)
        where contype = 'x' and part.attribute = tenant_column
          and (select oprname from pg_operator where oid = part.operator) <> '='""",
    "foreign keys between tenants tie organization to organization": """
        select format('%s.%s', keys.relname, conname)
        from keys join tenant target on target.oid = keys.confrelid
        where contype = 'f' and not exists (
          select from unnest(conkey, confkey) as pair(here, there)
          where pair.here = keys.tenant_column and pair.there = target.tenant_column)""",
    "foreign keys never set null or default": """
        select format('%s.%s', relname, conname) from keys
        where contype = 'f' and (confdeltype in ('n', 'd') or confupdtype not in ('a', 'r'))""",
    "global tables refer to nothing and nothing refers to them but lookups": f"""
        select format('%s -> %s', k.conrelid::regclass, k.confrelid::regclass)
        from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class f on f.oid = k.confrelid
        where k.contype = 'f' and k.conparentid = 0
          and (c.relname = any (array{list(GLOBAL_TABLES)}) or f.relname = 'login_directory')""",
    "constraints are named after their table": """
        select format('%s.%s', o.relname, k.conname)
        from ours o join pg_constraint k on k.conrelid = o.oid
        where k.contype in ('p', 'u', 'x', 'f', 'c') and k.conparentid = 0
          and not starts_with(k.conname, o.relname || '_')""",
    "row-level security is on and forced": """
        select relname from tenant where not relrowsecurity or not relforcerowsecurity""",
    "one policy per table: the organization of the transaction": """
        select t.relname from tenant t
        where (
          select array_agg(format('%s %s %s %s %s', p.polpermissive, p.polcmd, p.polroles,
                                  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))
          from pg_policy p where p.polrelid = t.oid)
        is distinct from array[format('%s %s %s %s %s', true, '*', '{0}',
          '(organization_id = (NULLIF(current_setting(''holdfast.organization_id''::text, true), ''''::text))::uuid)',
          null)]""",
    "no triggers, rules or event triggers": """
        select format('trigger %s', tgname) from pg_trigger join pg_class c on c.oid = tgrelid
        where not tgisinternal and c.relnamespace not in ('pg_catalog'::regnamespace)
        union all
        select format('rule %s', r.rulename)
        from pg_rewrite r join pg_class c on c.oid = r.ev_class
        where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
        union all
        select format('event trigger %s', evtname) from pg_event_trigger""",
    "no sequences, no identity, no random ids": """
        select format('sequence %s', relname) from pg_class
        where relkind = 'S' and relnamespace = 'public'::regnamespace
        union all
        select format('%s.%s', o.relname, a.attname)
        from ours o join pg_attribute a on a.attrelid = o.oid and a.attnum > 0
        left join pg_attrdef d on d.adrelid = o.oid and d.adnum = a.attnum
        where a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) ~ 'nextval|gen_random_uuid|uuidv4'""",
    "instants carry a zone, quantities are exact": """
        select format('%s.%s', o.relname, a.attname)
        from ours o join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
        where a.atttypid in ('timestamp'::regtype, 'timetz'::regtype, 'real'::regtype, 'float8'::regtype,
                             'money'::regtype, 'bpchar'::regtype, 'tsrange'::regtype)""",
    "no advisory locks, no notifications": r"""
        select proname from functions where body ~* 'advisory|pg_notify|\mnotify\M|\mlisten\M'""",
    "no function runs as its owner": "select proname from functions where prosecdef",
    "no function sets the tenant": """
        select proname from functions
        where body ~* 'set_config|holdfast\\.organization_id|row_security|session_replication_role'""",
    "functions take the organization first": """
        select proname from functions
        where prokind in ('f', 'p') and provolatile <> 'i' and (
          proargnames[1] is distinct from 'organization' or proargtypes[0] is distinct from 'uuid'::regtype)""",
    "views see what their reader may see": """
        select relname from pg_class c
        where relnamespace = 'public'::regnamespace and (relkind = 'm' or relkind = 'v' and not exists (
          select from unnest(c.reloptions) option where option in ('security_invoker=true', 'security_invoker=on')))""",
    "the service role is plain": """
        select rolname from service
        where rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication""",
    "the service role owns nothing": """
        select format('%s owns %s', s.rolname, c.relname) from service s join pg_class c on c.relowner = s.oid
        union all
        select format('%s owns %s()', s.rolname, p.proname) from service s join pg_proc p on p.proowner = s.oid
        union all
        select format('%s owns schema %s', s.rolname, n.nspname)
        from service s join pg_namespace n on n.nspowner = s.oid
        union all
        select format('%s owns the database', s.rolname)
        from service s join pg_database d on d.datdba = s.oid where d.datname = current_database()
        union all
        select format('%s is a member of the owner %s', s.rolname, o.rolname)
        from service s join pg_roles o on pg_has_role(s.oid, o.oid, 'member')
        where o.oid in (select relowner from pg_class where relnamespace = 'public'::regnamespace)""",
    "the service role makes nothing": """
        select format('%s may create in %s', s.rolname, n.nspname) from service s, pg_namespace n
        where n.nspname !~ '^pg_temp|^pg_toast_temp' and has_schema_privilege(s.oid, n.oid, 'create')
        union all
        select format('%s may %s on %s', s.rolname, p.privilege, o.relname)
        from service s, ours o, unnest(array['truncate', 'references', 'trigger', 'maintain']) as p(privilege)
        where has_table_privilege(s.oid, o.oid, p.privilege)""",
    "append-only tables stay as written": f"""
        select format('%s may %s %s', s.rolname, p.privilege, o.relname)
        from service s, ours o, unnest(array['update', 'delete', 'truncate']) as p(privilege)
        where o.relname = any (array{list(APPEND_ONLY)}) and (
          has_table_privilege(s.oid, o.oid, p.privilege)
          or p.privilege = 'update' and has_any_column_privilege(s.oid, o.oid, 'update'))
        union all
        select format('%s is missing', name) from unnest(array{list(APPEND_ONLY)}) name
        where to_regclass('public.' || name) is null""",
    "the service role reaches public and nothing else": """
        select format('%s reaches %s.%s', s.rolname, n.nspname, c.relname)
        from service s, pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname not in ('public', 'pg_catalog', 'information_schema', 'pg_toast')
          and n.nspname !~ '^pg_' and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and has_schema_privilege(s.oid, n.oid, 'usage')
          and (has_table_privilege(s.oid, c.oid, 'insert, update, delete, truncate')
               or c.relname <> 'schema_migrations' and has_table_privilege(s.oid, c.oid, 'select'))""",
    "everyone else reaches nothing": """
        select format('public on %s', c.relname)
        from pg_class c, aclexplode(c.relacl) a
        where c.relnamespace = 'public'::regnamespace and a.grantee = 0
        union all
        select 'public may create in public'
        from pg_namespace n, aclexplode(n.nspacl) a
        where n.nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE'""",
    "everything of a table is checked": """
        select format('%s.%s', o.relname, k.conname) from ours o join pg_constraint k on k.conrelid = o.oid
        where not k.convalidated or not k.conenforced
        union all
        select i.indexrelid::regclass::text from ours o join pg_index i on i.indrelid = o.oid
        where not i.indisvalid""",
}

# What breaks a law on purpose: law -> fault -> the decision record that says why.
EXCEPTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "no function runs as its owner": {"delete_scratch": "0012"},
})  # fmt: skip

LAWS: Mapping[str, str] = MappingProxyType({name: _TABLES + law for name, law in _LAWS.items()})
