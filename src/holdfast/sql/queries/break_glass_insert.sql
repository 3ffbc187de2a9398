-- Keeps a break-glass request, which nobody has approved yet.
insert into break_glass_requests (
  organization_id, id, user_id, patient_id, minutes, justification_encrypted, requested_at)
values ($1, $2, $3, $4, $5, $6, $7)
