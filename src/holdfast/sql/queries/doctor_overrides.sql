-- settings per role and per database that a new session of this role in this database would get
select setting,
       case when s.setrole = 0 then 'database ' || current_database()
            when s.setdatabase = 0 then 'role ' || current_user
            else 'role ' || current_user || ' in database ' || current_database() end as scope,
       case when s.setrole = 0 then 'database ' || quote_ident(current_database())
            when s.setdatabase = 0 then 'role ' || quote_ident(current_user)
            else 'role ' || quote_ident(current_user) || ' in database ' || quote_ident(current_database())
       end as alter
from pg_db_role_setting s, unnest(s.setconfig) setting
where s.setrole in (0, (select oid from pg_roles where rolname = current_user))
  and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
