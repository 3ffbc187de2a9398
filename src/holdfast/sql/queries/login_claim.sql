-- Claims an e-mail address for an organization; no row if it is claimed already.
insert into login_directory (email, organization_id) values ($1, $2)
on conflict (email) do nothing
returning organization_id
