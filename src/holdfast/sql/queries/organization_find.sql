-- The organization as the API shows it.
select organization_id, name, time_zone, patient_label, settings, version,
       floor(date_part('epoch', created_at))::bigint as created
from organizations
where organization_id = $1
