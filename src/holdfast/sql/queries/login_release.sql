-- Gives an e-mail address back that no user of the organization has.
delete from login_directory
where email = $1 and organization_id = $2
  and not exists (select from users where organization_id = $2 and email = $1)
