-- Whether nobody can sign in anywhere: the installation is empty.
select not exists (select from login_directory)
