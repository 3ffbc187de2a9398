-- Flags visits as the absences recorded now say; the ids of those whose flag has changed.
select v.id from flag_visits($1, $2, $3) v(id)
