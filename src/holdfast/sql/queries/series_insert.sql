-- Keeps a series; its visits are written after it.
insert into series (
  organization_id, id, clinic_id, patient_id, rrule, exdates, dates, version, created_by, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $9)
