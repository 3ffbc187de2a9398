-- Visits by id with their lines and patients' names, in the order asked for.
select json_agg(d.document order by w.place)::text
from unnest($2::uuid[]) with ordinality w(id, place)
cross join lateral (select appointment_document($1, w.id) as document offset 0) d
where d.document is not null
