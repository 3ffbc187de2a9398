-- A new draft.
insert into sessions (
  organization_id, id, appointment_id, line_no, practitioner_id, patient_id, draft_encrypted, created_by, created_at,
  updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
