-- Sessions: what was given, noted by who gave it. A draft is written over until it is signed; from then on every version
-- stays as it was signed.

-- One for each line of a visit and the practitioner who gives it: a line that goes to somebody else takes no draft along.
-- `draft_encrypted` is gone when the first version is signed.
create table sessions (
  organization_id uuid not null,
  id uuid not null,
  appointment_id uuid not null,
  line_no smallint not null,
  practitioner_id uuid not null,
  patient_id uuid not null,
  draft_encrypted bytea,
  signed_at timestamptz,
  created_by uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint sessions_pkey primary key (organization_id, id),
  constraint sessions_line_key unique (appointment_id, line_no, practitioner_id, organization_id),
  constraint sessions_appointment_fkey foreign key (organization_id, appointment_id)
    references appointments (organization_id, id),
  constraint sessions_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint sessions_patient_fkey foreign key (organization_id, patient_id) references patients (organization_id, id),
  constraint sessions_draft_until_signed check ((draft_encrypted is null) = (signed_at is not null))
);
create index sessions_by_practitioner on sessions (practitioner_id, organization_id, id);
create index sessions_by_patient on sessions (patient_id, organization_id, id);
create index sessions_drafts on sessions (organization_id, id) where signed_at is null;

-- What was signed, and each amendment with its reason; with the minutes and units of that moment, and why units that no
-- authorization paid for were not funded.
create table session_versions (
  organization_id uuid not null,
  session_id uuid not null,
  version_no integer not null,
  content_encrypted bytea not null,
  reason_encrypted bytea,
  minutes_actual integer not null,
  units_used integer not null,
  unfunded_units integer not null,
  unfunded_reason text,
  author_id uuid not null,
  created_at timestamptz not null,
  constraint session_versions_pkey primary key (organization_id, session_id, version_no),
  constraint session_versions_session_fkey foreign key (organization_id, session_id)
    references sessions (organization_id, id),
  constraint session_versions_number_positive check (version_no >= 1),
  constraint session_versions_amended_for_a_reason check ((version_no > 1) = (reason_encrypted is not null)),
  constraint session_versions_minutes_range check (minutes_actual between 0 and 1440),
  constraint session_versions_units_not_negative check (units_used >= 0 and unfunded_units >= 0),
  constraint session_versions_unfunded_for_a_reason check ((unfunded_units > 0) = (unfunded_reason is not null))
);
