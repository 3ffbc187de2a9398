-- what the server's role may do that it must not
select rolsuper as is_superuser,
       rolbypassrls as bypasses_rls,
       rolcanlogin as can_login,
       exists (
         select from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relowner = r.oid and n.nspname = 'public'
       ) as owns_tables
from pg_roles r
where rolname = $1
