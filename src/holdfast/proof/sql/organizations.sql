-- The organizations of this installation: the one table that is read before a tenant is known.
select distinct d.organization_id::text as organization_id from login_directory d order by 1
