-- Every authorization's counters as events tell of them.
select z.id::text as id, json_build_object(
    'id', z.id, 'patient_id', z.patient_id, 'total_units', z.total_units, 'used_units', z.used_units,
    'scheduled_units', z.scheduled_units, 'manual_units', z.manual_units, 'version', z.version)::text as document
from authorizations z
where z.organization_id = $1
