-- The yardsticks' own tables, in a database of their own: what a transaction does at the least, without a tenant,
-- rules or events.
create extension if not exists btree_gist;

-- Y1 and Y2: counters of authorizations and a ledger.
create table authorizations (
  id integer not null primary key,
  total_units integer not null,
  scheduled_units integer not null default 0,
  check (scheduled_units <= total_units)
) with (fillfactor = 50);
create table entries (
  authorization_id integer not null references authorizations (id),
  entry_no bigint not null generated always as identity,
  units integer not null,
  created_at timestamptz not null default now(),
  primary key (authorization_id, entry_no)
);
insert into authorizations (id, total_units) select n, 2000000000 from generate_series(1, 100) n;

-- Y3: one row per booking under three exclusions. Ids are UUIDs, as in any system that more than one process writes.
create table rooms (n integer not null primary key, id uuid not null default gen_random_uuid());
create table practitioners (n integer not null primary key, id uuid not null default gen_random_uuid());
create table patients (n integer not null primary key, id uuid not null default gen_random_uuid());
insert into rooms (n) select n from generate_series(0, 9) n;
insert into practitioners (n) select n from generate_series(0, 49) n;
insert into patients (n) select n from generate_series(0, 49) n;
create table bookings (
  id uuid not null default gen_random_uuid() primary key,
  room_id uuid not null,
  practitioner_id uuid not null,
  patient_id uuid not null,
  during tstzrange not null,
  exclude using gist (room_id with =, during with &&),
  exclude using gist (practitioner_id with =, during with &&),
  exclude using gist (patient_id with =, during with &&)
);
