-- The visits of a group, cancelled ones too, as they joined.
select a.id::text as id, a.patient_id::text as patient_id, a.status, a.version
from appointments a
where a.organization_id = $1 and a.group_id = $2
order by a.id
