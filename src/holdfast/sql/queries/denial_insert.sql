-- Records a denial.
insert into denials (organization_id, id, actor_id, action, subject_id, code, request_id)
values ($1, $2, $3, $4, $5, $6, $7)
