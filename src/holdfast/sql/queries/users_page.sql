-- A page of users by e-mail address.
select id, email, name, role, practitioner_id, patient_id, contact_id, is_active, version,
       floor(date_part('epoch', created_at))::bigint as created,
       floor(date_part('epoch', updated_at))::bigint as updated,
       exists (select from totp_factors f where f.organization_id = $1 and f.user_id = users.id
                 and f.enrolled_at is not null) as totp_enrolled
from users
where organization_id = $1 and ($2::text is null or role = $2) and ($3::boolean is null or is_active = $3)
order by email
limit $4 offset $5
