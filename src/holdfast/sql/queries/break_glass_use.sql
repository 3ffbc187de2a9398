-- Notes that a user reads a patient's records by an approved request whose time is not over, by the database's clock; no
-- row if there is none, and then nothing may be shown.
insert into break_glass_uses (organization_id, break_glass_id, id, action, subject_id, request_id)
select g.organization_id, g.id, $4, $5, $6, $7
from break_glass_requests g
where g.organization_id = $1 and g.user_id = $2 and g.patient_id = $3 and g.ended_as is null
  and now() < g.approved_at + g.minutes * interval '1 minute'
order by g.approved_at desc, g.id
limit 1
returning break_glass_id
