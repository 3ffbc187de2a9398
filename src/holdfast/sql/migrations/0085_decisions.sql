-- migrate:up
create table room_grounds (
  organization_id uuid not null,
  id uuid not null,
  body text not null,
  constraint room_grounds_pkey primary key (organization_id, id),
  constraint room_grounds_organization_fkey foreign key (organization_id) references organizations (organization_id)
);
alter table appointments add column decision text;
alter table appointments add column grounds_id uuid;
alter table turns add column asks_history boolean not null default false;

-- A visit's row travels with how its room was chosen. Nothing is released that would still call the function without.
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], moved_claim[], new_claim[], new_appointment[], changed_appointment[],
  kept_line[], kept_line[], gone_line[], new_hold[], ended_hold[], changed_authorization[], new_entry[], new_event[],
  new_audit[], new_key[]);
-- squawk-ignore ban-drop-type
drop type new_appointment, changed_appointment;
create type new_visit as (
  id uuid, clinic_id uuid, patient_id uuid, room_id uuid, location text, starts_at bigint, ends_at bigint, status text,
  pinned boolean, turnover_minutes integer, assignment_method text, policy_version integer, score integer,
  rules_applied text[], replaces_appointment_id uuid, notes_encrypted bytea, created_by uuid, decision text,
  grounds_id uuid);

create type changed_visit as (
  id uuid, version integer, room_id uuid, location text, starts_at bigint, ends_at bigint, status text,
  needs_action text, pinned boolean, turnover_minutes integer, assignment_method text, policy_version integer,
  score integer, rules_applied text[], cancelled_by text, cancel_reason_code text, cancel_reason_encrypted bytea,
  cancelled_at bigint, notice_minutes integer, cancelled_late boolean, checked_in_at bigint, started_at bigint,
  completed_at bigint, notes_encrypted bytea, decision text, grounds_id uuid);

create type new_grounds as (id uuid, body text);

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], moved_claim[], new_claim[], new_grounds[], new_visit[], changed_visit[],
  kept_line[], kept_line[], gone_line[], new_hold[], ended_hold[], changed_authorization[], new_entry[], new_event[],
  new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists keep_visits(uuid, timestamptz, new_grounds[], new_visit[], changed_visit[]);
-- squawk-ignore ban-drop-function
drop function if exists appointments_past(uuid, uuid);
-- squawk-ignore ban-drop-type
drop type new_visit, changed_visit, new_grounds;
create type new_appointment as (
  id uuid, clinic_id uuid, patient_id uuid, room_id uuid, location text, starts_at bigint, ends_at bigint, status text,
  pinned boolean, turnover_minutes integer, assignment_method text, policy_version integer, score integer,
  rules_applied text[], replaces_appointment_id uuid, notes_encrypted bytea, created_by uuid);

create type changed_appointment as (
  id uuid, version integer, room_id uuid, location text, starts_at bigint, ends_at bigint, status text,
  needs_action text, pinned boolean, turnover_minutes integer, assignment_method text, policy_version integer,
  score integer, rules_applied text[], cancelled_by text, cancel_reason_code text, cancel_reason_encrypted bytea,
  cancelled_at bigint, notice_minutes integer, cancelled_late boolean, checked_in_at bigint, started_at bigint,
  completed_at bigint, notes_encrypted bytea);
-- squawk-ignore ban-drop-column
alter table turns drop column asks_history;
-- squawk-ignore ban-drop-column
alter table appointments drop column grounds_id;
-- squawk-ignore ban-drop-column
alter table appointments drop column decision;
-- squawk-ignore ban-drop-table
drop table room_grounds;
