-- Whose an e-mail address is: asked before a tenant is known, so this one table has no tenant.
select organization_id from login_directory where email = $1
