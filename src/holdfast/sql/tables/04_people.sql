-- Practitioners with dated hours and credentials, and patients.

create table practitioners (
  organization_id uuid not null,
  id uuid not null,
  kind text not null default 'practitioner',
  name text not null,
  buffer_minutes integer not null default 0,
  concurrent_visits_max smallint not null default 1,
  is_active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  languages text[] not null default '{}',
  constraint practitioners_pkey primary key (organization_id, id),
  constraint practitioners_resource_fkey foreign key (organization_id, id, kind)
    references resources (organization_id, id, kind),
  constraint practitioners_kind_fixed check (kind = 'practitioner'),
  constraint practitioners_name_length check (char_length(name) between 1 and 200),
  constraint practitioners_buffer_range check (buffer_minutes between 0 and 120),
  constraint practitioners_concurrent_visits_range check (concurrent_visits_max between 1 and 100)
);

create table practitioner_clinics (
  organization_id uuid not null,
  practitioner_id uuid not null,
  clinic_id uuid not null,
  constraint practitioner_clinics_pkey primary key (organization_id, practitioner_id, clinic_id),
  constraint practitioner_clinics_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint practitioner_clinics_clinic_fkey foreign key (organization_id, clinic_id)
    references clinics (organization_id, id)
);

-- Credentials are dated and any-of; both dates are inclusive; null is open.
create table practitioner_credentials (
  organization_id uuid not null,
  practitioner_id uuid not null,
  position smallint not null,
  code text not null,
  valid_from date,
  valid_to date,
  state text,
  constraint practitioner_credentials_pkey primary key (organization_id, practitioner_id, position),
  constraint practitioner_credentials_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint practitioner_credentials_not_reversed check (valid_from <= valid_to)
);

create table working_hours (
  organization_id uuid not null,
  practitioner_id uuid not null,
  position smallint not null,
  clinic_id uuid not null,
  weekday smallint not null,
  starts time not null,
  ends time not null,
  valid_from date,
  valid_to date,
  constraint working_hours_pkey primary key (organization_id, practitioner_id, position),
  constraint working_hours_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint working_hours_clinic_fkey foreign key (organization_id, clinic_id)
    references clinics (organization_id, id),
  constraint working_hours_weekday_known check (weekday between 0 and 6),
  constraint working_hours_not_reversed check (starts < ends),
  constraint working_hours_dates_not_reversed check (valid_from <= valid_to)
);

-- An exception replaces a date's hours at one clinic: with times it is the only work of that date there,
-- without times the practitioner does not work there that date.
create table hours_exceptions (
  organization_id uuid not null,
  practitioner_id uuid not null,
  position smallint not null,
  clinic_id uuid not null,
  on_date date not null,
  starts time,
  ends time,
  constraint hours_exceptions_pkey primary key (organization_id, practitioner_id, position),
  constraint hours_exceptions_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint hours_exceptions_clinic_fkey foreign key (organization_id, clinic_id)
    references clinics (organization_id, id),
  constraint hours_exceptions_whole check ((starts is null) = (ends is null)),
  constraint hours_exceptions_not_reversed check (starts < ends)
);

-- Time off always succeeds when recorded; it counts at once against new bookings.
create table time_off (
  organization_id uuid not null,
  id uuid not null,
  practitioner_id uuid not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  kind text not null default 'other',
  created_at timestamptz not null default now(),
  version integer not null default 1,
  constraint time_off_pkey primary key (organization_id, id),
  constraint time_off_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint time_off_not_reversed check (starts_at < ends_at),
  constraint time_off_length check (ends_at - starts_at <= interval '366 days'),
  constraint time_off_kind_known check (kind in ('sick', 'holiday', 'training', 'other'))
);
create index time_off_ending on time_off (ends_at, organization_id);

-- Names are plain, behind row-level security and grants, so that the front desk finds a patient as it types
-- (decisions/0004); search_name is "family given", folded to lower case without accents. Alerts are free text
-- about a person and are encrypted. booking_constraints repeats what a booking must know of the patient's
-- practitioners, availability and coverages, in the shape that patient_constraints gives it, so that a booking reads
-- one row and not three tables; null for a patient without any. patient_save keeps it, and an invariant compares.
create table patients (
  organization_id uuid not null,
  id uuid not null,
  kind text not null default 'patient',
  given_name text not null,
  family_name text not null,
  search_name text not null,
  birth_date date,
  needs text[] not null default '{}',
  alerts_encrypted bytea,
  is_active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  language text,
  needs_interpreter boolean not null default false,
  booking_constraints jsonb,
  constraint patients_pkey primary key (organization_id, id),
  constraint patients_resource_fkey foreign key (organization_id, id, kind)
    references resources (organization_id, id, kind),
  constraint patients_kind_fixed check (kind = 'patient'),
  constraint patients_given_name_length check (char_length(given_name) between 1 and 100),
  constraint patients_family_name_length check (char_length(family_name) between 1 and 100)
);
create index patients_by_name on patients (organization_id, search_name collate "C", id);
create index patients_by_birth_date on patients (birth_date, organization_id);

-- What a search finds a patient by: the folded words of "given family", begun at each of them in turn ("ana ruiz
-- lopez", "ruiz lopez ana", "lopez ana ruiz"), so that a prefix of any is a range of this key.
create table patient_search_terms (
  organization_id uuid not null,
  term text collate "C" not null,
  patient_id uuid not null,
  constraint patient_search_terms_pkey primary key (organization_id, term, patient_id),
  constraint patient_search_terms_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id)
);
create index patient_search_terms_by_patient on patient_search_terms (patient_id, organization_id);

-- Whom the practice speaks to about patients: parents, guardians, case workers. One person is one row, however many
-- patients (siblings) they belong to. Names are plain, as patients' are; phone and e-mail are encrypted, since nothing
-- searches them. Consent is to be written to and called; who recorded it stands beside it. Time is claimed on a contact
-- who comes to a visit (a caregiver), as on a patient: one seat, for ever.
create table contacts (
  organization_id uuid not null,
  id uuid not null,
  name text not null,
  search_name text not null,
  phone_encrypted bytea,
  email_encrypted bytea,
  language text,
  channel text,
  consented_on date,
  consent_recorded_by uuid,
  is_active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  kind text not null default 'contact',
  constraint contacts_pkey primary key (organization_id, id),
  constraint contacts_resource_fkey foreign key (organization_id, id, kind)
    references resources (organization_id, id, kind),
  constraint contacts_kind_fixed check (kind = 'contact'),
  constraint contacts_consent_recorder_fkey foreign key (organization_id, consent_recorded_by)
    references users (organization_id, id),
  constraint contacts_name_length check (char_length(name) between 1 and 200),
  constraint contacts_language_length check (char_length(language) between 2 and 35),
  constraint contacts_channel_known check (channel in ('sms', 'email', 'phone')),
  constraint contacts_channel_reachable check (
    case channel when 'email' then email_encrypted is not null
                 when 'sms' then phone_encrypted is not null
                 when 'phone' then phone_encrypted is not null else true end),
  constraint contacts_consent_whole check ((consented_on is null) = (consent_recorded_by is null))
);

-- As patient_search_terms, for contacts.
create table contact_search_terms (
  organization_id uuid not null,
  term text collate "C" not null,
  contact_id uuid not null,
  constraint contact_search_terms_pkey primary key (organization_id, term, contact_id),
  constraint contact_search_terms_contact_fkey foreign key (organization_id, contact_id)
    references contacts (organization_id, id)
);
create index contact_search_terms_by_contact on contact_search_terms (contact_id, organization_id);

-- What a contact is to one patient, and may do for that one.
create table patient_contacts (
  organization_id uuid not null,
  patient_id uuid not null,
  contact_id uuid not null,
  position smallint not null,
  relationship text not null,
  may_cancel boolean not null default false,
  receives_reminders boolean not null default false,
  constraint patient_contacts_pkey primary key (organization_id, patient_id, contact_id),
  constraint patient_contacts_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  constraint patient_contacts_contact_fkey foreign key (organization_id, contact_id)
    references contacts (organization_id, id),
  constraint patient_contacts_relationship_known check (relationship in (
    'parent', 'step_parent', 'foster_parent', 'grandparent', 'guardian', 'spouse', 'partner', 'sibling', 'child',
    'relative', 'caregiver', 'case_worker', 'teacher', 'other'))
);
create index patient_contacts_by_contact on patient_contacts (contact_id, organization_id);

-- With whom a patient may not be (excluded) or would rather be (preferred).
create table patient_practitioners (
  organization_id uuid not null,
  patient_id uuid not null,
  practitioner_id uuid not null,
  preference text not null,
  constraint patient_practitioners_pkey primary key (organization_id, patient_id, practitioner_id),
  constraint patient_practitioners_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  constraint patient_practitioners_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint patient_practitioners_preference_known check (preference in ('excluded', 'preferred'))
);

-- When a patient can come, weekly, in the time of whichever clinic they come to; without rows: at any time.
create table patient_availability (
  organization_id uuid not null,
  patient_id uuid not null,
  position smallint not null,
  weekday smallint not null,
  starts time not null,
  ends time not null,
  constraint patient_availability_pkey primary key (organization_id, patient_id, position),
  constraint patient_availability_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  constraint patient_availability_weekday_known check (weekday between 0 and 6),
  constraint patient_availability_not_reversed check (starts < ends)
);

alter table users
  add constraint users_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  add constraint users_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  add constraint users_contact_fkey foreign key (organization_id, contact_id)
    references contacts (organization_id, id);

-- Time that is nobody's visit: a meeting, break, admin, training or travel, or a group's (07). Each attendee and the room is
-- one claim.
-- One that is deleted has no claims; its row stays, so that no key of claims has to be looked through.
create table blocks (
  organization_id uuid not null,
  id uuid not null,
  kind text not null,
  room_id uuid,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  label_encrypted bytea,
  deleted_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  series_id uuid,
  constraint blocks_pkey primary key (organization_id, id),
  constraint blocks_room_fkey foreign key (organization_id, room_id) references rooms (organization_id, id),
  constraint blocks_kind_known check (kind in ('meeting', 'break', 'admin', 'training', 'travel', 'group')),
  constraint blocks_length check (starts_at < ends_at and ends_at - starts_at <= interval '24 hours')
);
create index blocks_starting on blocks (starts_at, organization_id);
create index blocks_by_series on blocks (series_id, organization_id, starts_at) where series_id is not null;
create index blocks_of_groups on blocks (starts_at, organization_id) where kind = 'group';

create table block_attendees (
  organization_id uuid not null,
  block_id uuid not null,
  practitioner_id uuid not null,
  constraint block_attendees_pkey primary key (organization_id, block_id, practitioner_id),
  constraint block_attendees_block_fkey foreign key (organization_id, block_id) references blocks (organization_id, id),
  constraint block_attendees_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id)
);
