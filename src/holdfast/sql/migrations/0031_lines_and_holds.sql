-- migrate:up
create table holds (
  organization_id uuid not null,
  id uuid not null,
  clinic_id uuid not null,
  patient_id uuid not null,
  practitioner_id uuid not null,
  service_id uuid not null,
  room_id uuid,
  location text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  turnover_minutes integer not null default 0,
  lines jsonb not null,
  expires_at timestamptz not null,
  ended_as text,
  ended_at timestamptz,
  appointment_id uuid,
  created_by uuid not null,
  created_at timestamptz not null,
  constraint holds_pkey primary key (organization_id, id),
  constraint holds_clinic_fkey foreign key (organization_id, clinic_id) references clinics (organization_id, id),
  constraint holds_patient_fkey foreign key (organization_id, patient_id) references patients (organization_id, id),
  constraint holds_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint holds_service_fkey foreign key (organization_id, service_id) references services (organization_id, id),
  constraint holds_room_fkey foreign key (organization_id, room_id) references rooms (organization_id, id),
  constraint holds_appointment_fkey foreign key (organization_id, appointment_id)
    references appointments (organization_id, id),
  constraint holds_length check (starts_at < ends_at and ends_at - starts_at <= interval '24 hours'),
  constraint holds_expire_later check (created_at < expires_at),
  constraint holds_ended_as_known check (ended_as in ('booked', 'released', 'expired')),
  constraint holds_end_whole check (
    (ended_as is null) = (ended_at is null) and (appointment_id is not null) = (ended_as is not distinct from 'booked'))
);
create index holds_open on holds (organization_id, expires_at) where ended_as is null;
create index holds_ended on holds (ended_at, organization_id) where ended_as is not null;

alter table appointment_lines add column caregiver_id uuid;
-- The column is new, so nothing is to be found; the scan is the price of saying so.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
alter table appointment_lines add constraint appointment_lines_caregiver_fkey
  foreign key (organization_id, caregiver_id) references contacts (organization_id, id);
-- Nothing that is released has written a hold_id.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
alter table claims add constraint claims_hold_fkey foreign key (organization_id, hold_id)
  references holds (organization_id, id);
-- squawk-ignore require-concurrent-index-creation
create index claims_by_hold on claims (hold_id, organization_id) where hold_id is not null;

-- What a batch reads and writes has more to it. Nothing is released that would still call the functions without.
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], moved_claim[], new_claim[], new_appointment[], changed_appointment[],
  new_line[], changed_line[], changed_authorization[], new_entry[], new_event[], new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists facts(uuid, uuid[], uuid[], uuid[], uuid[], text[], uuid[], bigint[], bigint[]);
-- squawk-ignore ban-drop-function
drop function if exists facts_in_turn(uuid, uuid[], uuid[], uuid[], uuid[], text[], uuid[], bigint[], bigint[]);
-- squawk-ignore ban-drop-type
drop type new_line, changed_line;
create type kept_line as (
  appointment_id uuid, line_no smallint, practitioner_id uuid, service_id uuid, starts_at bigint, ends_at bigint,
  patient_present boolean, authorization_id uuid, billable boolean, units_reserved integer, unfunded_units integer,
  minutes_actual integer, travel_before_minutes integer, buffer_minutes integer, line_status text, caregiver_id uuid);

create type gone_line as (appointment_id uuid, line_no smallint);

create type new_hold as (
  id uuid, clinic_id uuid, patient_id uuid, practitioner_id uuid, service_id uuid, room_id uuid, location text,
  starts_at bigint, ends_at bigint, turnover_minutes integer, lines jsonb, expires_at bigint, created_by uuid);

create type ended_hold as (id uuid, ended_as text, appointment_id uuid);

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], moved_claim[], new_claim[], new_appointment[], changed_appointment[],
  kept_line[], kept_line[], gone_line[], new_hold[], ended_hold[], changed_authorization[], new_entry[], new_event[],
  new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists keep_lines(uuid, kept_line[], kept_line[], gone_line[]);
-- squawk-ignore ban-drop-function
drop function if exists keep_holds(uuid, timestamptz, new_hold[], ended_hold[]);
-- squawk-ignore ban-drop-function
drop function if exists facts(uuid, uuid[], uuid[], uuid[], uuid[], uuid[], uuid[], text[], uuid[], bigint[], bigint[]);
-- squawk-ignore ban-drop-function
drop function if exists facts_in_turn(uuid, uuid[], uuid[], uuid[], uuid[], uuid[], uuid[], text[], uuid[], bigint[], bigint[]);
-- squawk-ignore ban-drop-function
drop function if exists expiring_holds(uuid, uuid[]);
-- squawk-ignore ban-drop-function
drop function if exists expiring_hold(uuid, uuid);
-- squawk-ignore ban-drop-function
drop function if exists caregivers_of(uuid, uuid[]);
-- squawk-ignore ban-drop-type
drop type kept_line, gone_line, new_hold, ended_hold;
create type new_line as (
  appointment_id uuid, line_no smallint, practitioner_id uuid, service_id uuid, starts_at bigint, ends_at bigint,
  patient_present boolean, authorization_id uuid, billable boolean, units_reserved integer, unfunded_units integer,
  travel_before_minutes integer, buffer_minutes integer);

create type changed_line as (
  appointment_id uuid, line_no smallint, practitioner_id uuid, starts_at bigint, ends_at bigint, authorization_id uuid,
  units_reserved integer, minutes_actual integer, buffer_minutes integer, line_status text);
-- squawk-ignore require-concurrent-index-deletion
drop index claims_by_hold;
-- squawk-ignore ban-drop-constraint
alter table claims drop constraint claims_hold_fkey;
-- squawk-ignore ban-drop-column
alter table appointment_lines drop column caregiver_id;
-- squawk-ignore ban-drop-table
drop table holds;
