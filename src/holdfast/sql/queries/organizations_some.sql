-- Some of the organizations that anybody can sign in to.
select distinct organization_id from login_directory limit $1
