-- migrate:up
create table series (
  organization_id uuid not null,
  id uuid not null,
  clinic_id uuid not null,
  patient_id uuid not null,
  rrule text not null,
  exdates date[] not null default '{}',
  dates jsonb not null,
  version integer not null default 1,
  created_by uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint series_pkey primary key (organization_id, id),
  constraint series_clinic_fkey foreign key (organization_id, clinic_id) references clinics (organization_id, id),
  constraint series_patient_fkey foreign key (organization_id, patient_id) references patients (organization_id, id),
  constraint series_dates_count check (jsonb_array_length(dates) between 1 and 104)
);
-- Validated by the next migration, which lets bookings go on while it looks at every appointment.
alter table appointments add constraint appointments_series_fkey foreign key (organization_id, series_id)
  references series (organization_id, id) not valid;

-- migrate:down
-- squawk-ignore ban-drop-constraint
alter table appointments drop constraint appointments_series_fkey;
-- squawk-ignore ban-drop-table
drop table series;
