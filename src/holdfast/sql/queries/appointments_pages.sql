-- Pages of visits for many requests at once (one organization), in their order.
select json_agg(appointments_page(
  $1, w.clinics, w.patient, w.practitioner, w.room, w.statuses, w.without_room, w.range_start, w.range_end,
  w.skip, w.take, w.count_max) order by w.n)::text
from json_to_recordset($2::json) as w(
  n integer, clinics uuid[], patient uuid, practitioner uuid, room uuid, statuses text[], without_room boolean,
  range_start timestamptz, range_end timestamptz, skip integer, take integer, count_max integer)
