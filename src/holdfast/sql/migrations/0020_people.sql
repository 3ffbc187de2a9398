-- migrate:up
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
  constraint contacts_pkey primary key (organization_id, id),
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

create table contact_search_terms (
  organization_id uuid not null,
  term text collate "C" not null,
  contact_id uuid not null,
  constraint contact_search_terms_pkey primary key (organization_id, term, contact_id),
  constraint contact_search_terms_contact_fkey foreign key (organization_id, contact_id)
    references contacts (organization_id, id)
);
create index contact_search_terms_by_contact on contact_search_terms (contact_id, organization_id);

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

create table coverages (
  organization_id uuid not null,
  patient_id uuid not null,
  position smallint not null,
  payer_id uuid not null,
  member_number text not null default '',
  rank smallint not null default 1,
  valid_from date,
  valid_to date,
  constraint coverages_pkey primary key (organization_id, patient_id, position),
  constraint coverages_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  constraint coverages_payer_fkey foreign key (organization_id, payer_id)
    references payers (organization_id, id),
  constraint coverages_member_number_length check (char_length(member_number) <= 100),
  constraint coverages_rank_range check (rank between 1 and 10),
  constraint coverages_not_reversed check (valid_from <= valid_to),
  constraint coverages_rank_once exclude using gist (
    patient_id with =, daterange(valid_from, valid_to, '[]') with &&, rank with =, organization_id with =)
);

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

alter table patients
  add column language text,
  add column needs_interpreter boolean not null default false;

-- migrate:down
-- squawk-ignore ban-drop-column
alter table patients drop column needs_interpreter;
-- squawk-ignore ban-drop-column
alter table patients drop column language;
-- squawk-ignore ban-drop-table
drop table patient_availability;
-- squawk-ignore ban-drop-table
drop table patient_practitioners;
-- squawk-ignore ban-drop-table
drop table coverages;
-- squawk-ignore ban-drop-table
drop table patient_contacts;
-- squawk-ignore ban-drop-table
drop table contact_search_terms;
-- squawk-ignore ban-drop-table
drop table contacts;
