-- What is kept beside the tables: one batch per transaction, its events, its audit rows, its answers.

-- One row per writing transaction: its id answers "did my lost COMMIT arrive?", its hash is a link of the
-- audit chain (sha256 over the link before and this transaction's audit rows in order).
create table batches (
  organization_id uuid not null,
  batch_no bigint not null,
  id uuid not null,
  seq_after bigint not null,
  hash bytea not null,
  committed_at timestamptz not null,
  constraint batches_pkey primary key (organization_id, batch_no),
  constraint batches_id_key unique (organization_id, id),
  constraint batches_organization_fkey foreign key (organization_id) references organizations (organization_id),
  constraint batches_hash_length check (octet_length(hash) = 32)
);

-- Ids, times, statuses and counters; never names, notes or narrative. json, not jsonb: it is written once, read
-- whole, and smaller.
create table events (
  organization_id uuid not null,
  seq bigint not null,
  kind text not null,
  body json not null,
  created_at timestamptz not null,
  constraint events_pkey primary key (organization_id, seq)
);

create table audit (
  organization_id uuid not null,
  batch_no bigint not null,
  position integer not null,
  actor_id uuid,
  action text not null,
  subject text not null,
  subject_id uuid not null,
  detail jsonb not null default '{}',
  request_id text not null default '',
  created_at timestamptz not null,
  constraint audit_pkey primary key (organization_id, batch_no, position)
);

-- What was asked for and not allowed. Outside the turn: a refusal must not make anyone wait.
create table denials (
  organization_id uuid not null,
  id uuid not null,
  actor_id uuid,
  action text not null,
  subject_id uuid,
  code text not null,
  request_id text not null default '',
  created_at timestamptz not null default now(),
  constraint denials_pkey primary key (organization_id, id),
  constraint denials_organization_fkey foreign key (organization_id) references organizations (organization_id)
);

-- Answers of requests that had an effect, for 24 h, encrypted like the fields they repeat.
create table idempotency_keys (
  organization_id uuid not null,
  user_id uuid not null,
  key text not null,
  fingerprint bytea not null,
  status smallint not null,
  answer_encrypted bytea not null,
  created_at timestamptz not null,
  constraint idempotency_keys_pkey primary key (organization_id, user_id, key),
  constraint idempotency_keys_key_length check (char_length(key) between 1 and 255),
  constraint idempotency_keys_fingerprint_length check (octet_length(fingerprint) = 32)
);
create index idempotency_keys_age on idempotency_keys using brin (created_at, organization_id);
