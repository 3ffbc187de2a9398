-- What was signed: a session's next version.
insert into session_versions (
  organization_id, session_id, version_no, content_encrypted, reason_encrypted, minutes_actual, units_used,
  unfunded_units, unfunded_reason, author_id, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
