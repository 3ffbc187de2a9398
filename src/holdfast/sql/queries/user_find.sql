-- A user as the API shows them.
select id, email, name, role, practitioner_id, patient_id, is_active, version,
       floor(date_part('epoch', created_at))::bigint as created,
       floor(date_part('epoch', updated_at))::bigint as updated
from users
where organization_id = $1 and id = $2
