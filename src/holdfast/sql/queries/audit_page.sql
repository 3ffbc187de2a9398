-- A page of the audit trail, newest first.
select batch_no, position, actor_id, action, subject, subject_id, detail, request_id,
       floor(date_part('epoch', created_at))::bigint as created
from audit
where organization_id = $1
order by batch_no desc, position desc
limit $2 offset $3
