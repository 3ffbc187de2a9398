-- migrate:up
create type new_claim as (
  resource_id uuid, seat smallint, starts_at bigint, ends_at bigint, kind text, appointment_id uuid);

create type gone_claim as (resource_id uuid, starts_at bigint, seat smallint);

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

create type new_line as (
  appointment_id uuid, line_no smallint, practitioner_id uuid, service_id uuid, starts_at bigint, ends_at bigint,
  patient_present boolean, authorization_id uuid, billable boolean, units_reserved integer, unfunded_units integer,
  travel_before_minutes integer, buffer_minutes integer);

create type changed_line as (
  appointment_id uuid, line_no smallint, practitioner_id uuid, starts_at bigint, ends_at bigint, authorization_id uuid,
  units_reserved integer, minutes_actual integer, buffer_minutes integer, line_status text);

create type changed_authorization as (
  id uuid, version integer, version_read integer, used_units integer, scheduled_units integer, manual_units integer);

create type new_entry as (
  authorization_id uuid, entry_no integer, kind text, units integer, appointment_id uuid, line_no smallint, seq bigint,
  actor_id uuid);

create type new_event as (kind text, body json);

create type new_audit as (
  actor_id uuid, action text, subject text, subject_id uuid, detail jsonb, request_id text);

create type new_key as (user_id uuid, key text, fingerprint bytea, status smallint, answer_encrypted bytea);

-- The range keeps its own alignment, so that the index reads it in place.
alter table claims alter column during set storage plain;

-- What they replace: a call would not know which of two was meant. Nothing is released that would still call them.
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, bigint, timestamptz, json, json, json, json, json, json, json, json, json, json, json);
-- squawk-ignore ban-drop-function
drop function if exists keep(uuid, uuid, bigint, boolean, timestamptz, json, json, json);
-- squawk-ignore ban-drop-function
drop function if exists facts(uuid, uuid[], uuid[], uuid[], uuid[], text[], uuid[], timestamptz[], timestamptz[]);
-- squawk-ignore ban-drop-function
drop function if exists facts_in_turn(
  uuid, uuid[], uuid[], uuid[], uuid[], text[], uuid[], timestamptz[], timestamptz[]);

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], new_claim[], new_appointment[], changed_appointment[], new_line[],
  changed_line[], changed_authorization[], new_entry[], new_event[], new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists keep(uuid, uuid, bigint, boolean, bigint, new_event[], new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists facts(uuid, uuid[], uuid[], uuid[], uuid[], text[], uuid[], bigint[], bigint[]);
-- squawk-ignore ban-drop-function
drop function if exists facts_in_turn(uuid, uuid[], uuid[], uuid[], uuid[], text[], uuid[], bigint[], bigint[]);
alter table claims alter column during set storage extended;
-- squawk-ignore ban-drop-type
drop type new_key, new_audit, new_event, new_entry, changed_authorization, changed_line, new_line,
  changed_appointment, new_appointment, gone_claim, new_claim;
