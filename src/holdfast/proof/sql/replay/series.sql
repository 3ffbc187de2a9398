-- Every series as events tell of it.
select s.id::text as id, json_build_object(
    'id', s.id, 'clinic_id', s.clinic_id, 'patient_id', s.patient_id, 'rrule', s.rrule, 'exdates', s.exdates,
    'dates', s.dates, 'version', s.version, 'created_at', as_instant(s.created_at),
    'updated_at', as_instant(s.updated_at))::text as document
from series s
where s.organization_id = $1
