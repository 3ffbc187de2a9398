-- Gives back the addresses of an invented organization whose loading was broken off.
delete from login_directory where organization_id = $1 and email = any ($2)
