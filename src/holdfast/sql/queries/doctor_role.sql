-- whether row-level security binds the connected role
select current_user::text as role,
       r.rolsuper as is_superuser,
       r.rolbypassrls as bypasses_rls,
       exists (
         select from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind in ('r', 'p') and pg_has_role(current_user, c.relowner, 'usage')
       ) as owns_tables
from pg_roles r
where r.rolname = current_user
