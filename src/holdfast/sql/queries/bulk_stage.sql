-- Where invented visits wait, in their order, until bulk_apply turns them into rows of every table.
create temporary table bulk_visits (
  n bigint not null,
  id uuid not null,
  clinic_id uuid not null,
  patient_id uuid not null,
  room_id uuid not null,
  turnover_minutes integer not null,
  practitioner_id uuid not null,
  buffer_minutes integer not null,
  service_id uuid not null,
  authorization_id uuid,
  units integer not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  status text not null
) on commit drop
