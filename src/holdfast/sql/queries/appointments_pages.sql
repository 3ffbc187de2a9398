-- Pages of visits for many requests at once (one organization), with the seq they are true at and the directory's.
select json_build_object(
  'seq', t.seq, 'directory_seq', t.directory_seq,
  'pages', (
    select json_agg(appointments_page(
      $1, w.clinics, w.patient, w.practitioner, w.room, w.statuses, w.without_room, w.range_start, w.range_end,
      w.skip, w.take, w.count_max) order by w.n)
    from json_to_recordset($2::json) as w(
      n integer, clinics uuid[], patient uuid, practitioner uuid, room uuid, statuses text[], without_room boolean,
      range_start timestamptz, range_end timestamptz, skip integer, take integer, count_max integer)))::text
from turns t
where t.organization_id = $1
