-- Organizations: the tenants. Every other tenant table carries organization_id in every key. One that is made for a
-- proof is scratch from its first moment, and only such a one can ever be deleted.

create table organizations (
  organization_id uuid not null,
  name text not null,
  time_zone text not null,
  patient_label text not null default 'patient',
  settings jsonb not null default '{}',
  data_key bytea not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  is_scratch boolean not null default false,
  constraint organizations_pkey primary key (organization_id),
  constraint organizations_name_length check (char_length(name) between 1 and 200),
  constraint organizations_patient_label_known check (patient_label in ('patient', 'client', 'learner'))
);

-- The organization's turn: one row, locked first by every transaction that changes a schedule, a unit or a
-- rule. seq counts event rows; directory_seq is the seq of the last change to places, people or services;
-- audit_hash is the head of the audit chain; policy_version is the set of policies in force (0: what is shipped), and
-- asks_history says whether they ask for a patient's earlier visits. Low fillfactor: every update stays on its page (HOT).
create table turns (
  organization_id uuid not null,
  seq bigint not null default 0,
  directory_seq bigint not null default 0,
  batch_count bigint not null default 0,
  audit_hash bytea not null default '\x',
  asks_history boolean not null default false,
  policy_version integer not null default 0,
  constraint turns_pkey primary key (organization_id),
  constraint turns_organization_fkey foreign key (organization_id) references organizations (organization_id),
  constraint turns_directory_not_ahead check (directory_seq <= seq)
) with (fillfactor = 20, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 0);
