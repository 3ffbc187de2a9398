-- How many items each of some work lists has, counted up to $10, in the order of their names.
select w.kind, case w.kind
    when 'expiring_authorizations' then (
      select count(*) from worklist_authorizations($1, $3, $5, $6, $9, $10))
    when 'expiring_credentials' then (
      select count(*) from worklist_credentials($1, $3, $4, $6, $9, $10))
    when 'groups_needing_action' then (
      select count(*) from worklist_groups($1, $3, $4, $6, $7, $10))
    else (
      select count(*) from worklist_visits($1, w.kind, $3, $4, $6, $7, $8, $10))
  end as counted
from unnest($2::text[]) with ordinality w(kind, place)
order by w.place
