-- Every version of a session in the order in which they were signed, what was written sealed (hex).
select json_build_object(
    'version_no', w.version_no, 'content_encrypted', encode(w.content_encrypted, 'hex'),
    'reason_encrypted', encode(w.reason_encrypted, 'hex'), 'minutes_actual', w.minutes_actual,
    'units_used', w.units_used, 'unfunded_units', w.unfunded_units, 'unfunded_reason', w.unfunded_reason,
    'author_id', w.author_id, 'author_name', u.name, 'signed_at', as_instant(w.created_at))::text as document
from session_versions w
left join users u on u.organization_id = $1 and u.id = w.author_id
where w.organization_id = $1 and w.session_id = $2
order by w.version_no
