-- Every session as events tell of it: whose it is, and nothing of what was written.
select s.id::text as id, json_build_object(
    'id', s.id, 'appointment_id', s.appointment_id, 'line_no', s.line_no, 'practitioner_id', s.practitioner_id,
    'status', case when s.signed_at is null then 'draft' else 'signed' end, 'version', s.version)::text as document
from sessions s
where s.organization_id = $1
