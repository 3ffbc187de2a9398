-- Coverages, and authorizations: what an insurer approved. The counters live on the row under CHECK, so the sum can never
-- pass the total whoever writes; the ledger explains them and must add up to them.

-- Who insures a patient, and in which order they are asked: at any date at most one of each rank. Both dates are
-- inclusive; null is open.
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

-- scheduled_units is everything promised and not yet used: what visits hold plus manual_units, the part that
-- was reserved by hand.
create table authorizations (
  organization_id uuid not null,
  id uuid not null,
  patient_id uuid not null,
  payer_id uuid not null,
  authorization_number text not null default '',
  service_codes text[] not null,
  unit_basis text not null default 'time',
  total_units integer not null,
  used_units integer not null default 0,
  scheduled_units integer not null default 0,
  manual_units integer not null default 0,
  start_date date not null,
  end_date date not null,
  approval text not null default 'approved',
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  caps jsonb not null default '[]',
  constraint authorizations_pkey primary key (organization_id, id),
  constraint authorizations_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  constraint authorizations_payer_fkey foreign key (organization_id, payer_id)
    references payers (organization_id, id),
  constraint authorizations_codes_named check (cardinality(service_codes) between 1 and 50),
  constraint authorizations_unit_basis_known check (unit_basis in ('time', 'visit', 'day')),
  constraint authorizations_units_not_negative check (
    total_units >= 0 and used_units >= 0 and scheduled_units >= 0 and manual_units >= 0),
  constraint authorizations_units_within_total check (used_units + scheduled_units <= total_units),
  constraint authorizations_manual_within_scheduled check (manual_units <= scheduled_units),
  constraint authorizations_dates_not_reversed check (start_date <= end_date),
  constraint authorizations_approval_known check (approval in ('approved', 'pending', 'cancelled'))
) with (fillfactor = 70);
create index authorizations_by_patient on authorizations (patient_id, organization_id, end_date);
create index authorizations_by_end on authorizations (end_date, organization_id, id);

-- Immutable entries, numbered by the authorization's version that each one made.
create table authorization_entries (
  organization_id uuid not null,
  authorization_id uuid not null,
  entry_no integer not null,
  kind text not null,
  units integer not null,
  is_manual boolean not null default false,
  appointment_id uuid,
  line_no smallint,
  seq bigint not null,
  actor_id uuid,
  note_encrypted bytea,
  created_at timestamptz not null,
  constraint authorization_entries_pkey primary key (organization_id, authorization_id, entry_no),
  constraint authorization_entries_authorization_fkey foreign key (organization_id, authorization_id)
    references authorizations (organization_id, id),
  constraint authorization_entries_kind_known check (kind in ('reserve', 'release', 'consume', 'adjust')),
  constraint authorization_entries_units_sign check (units > 0 or (kind = 'adjust' and units <> 0))
);

-- How many units a patient's visits hold and have used, by payer, service code and local date: what caps are held against.
-- Moved with the ledger, so that nobody adds up lines while booking; an invariant does.
create table unit_counts (
  organization_id uuid not null,
  patient_id uuid not null,
  on_date date not null,
  payer_id uuid not null,
  code text not null,
  units integer not null,
  constraint unit_counts_pkey primary key (organization_id, patient_id, on_date, payer_id, code),
  constraint unit_counts_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  constraint unit_counts_payer_fkey foreign key (organization_id, payer_id) references payers (organization_id, id),
  constraint unit_counts_not_negative check (units >= 0)
);
