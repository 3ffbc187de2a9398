-- Which of these (a noun and an id each) are nothing of the organization: their places in the list, from 1.
select r.ordinality::int as place
from unnest($2::text[], $3::uuid[]) with ordinality r (noun, id, ordinality)
where not exists (
  select from clinics c where c.organization_id = $1 and r.noun = 'clinics' and c.id = r.id
  union all
  select from rooms o where o.organization_id = $1 and r.noun = 'rooms' and o.id = r.id
  union all
  select from practitioners p where p.organization_id = $1 and r.noun = 'practitioners' and p.id = r.id
  union all
  select from services s where s.organization_id = $1 and r.noun = 'services' and s.id = r.id)
order by r.ordinality
