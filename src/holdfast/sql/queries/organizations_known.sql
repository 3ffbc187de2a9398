-- The organizations that anybody can sign in to. The directory of logins is the one table outside the tenant rule.
select distinct organization_id from login_directory
