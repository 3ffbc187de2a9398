-- Other patients of the same folded name or the same birth date: the first suspects of being the same person.
-- Those of both first.
(select p.id, p.given_name, p.family_name, p.birth_date, p.is_active, true as is_same_name
 from patients p
 where p.organization_id = $1 and p.search_name collate "C" = $3 and p.id <> $2
 order by p.birth_date is distinct from $4::text::date, p.id limit 20)
union all
(select p.id, p.given_name, p.family_name, p.birth_date, p.is_active, false
 from patients p
 where p.organization_id = $1 and p.birth_date = $4::text::date and p.search_name <> $3 and p.id <> $2
 order by p.id limit 1000)
