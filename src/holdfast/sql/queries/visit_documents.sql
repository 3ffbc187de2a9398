-- Some visits as decisions read them, in the order of the ids.
select appointment_document($1, w.id)::text as document
from unnest($2::uuid[]) with ordinality w(id, place)
order by w.place
