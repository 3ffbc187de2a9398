-- The shapes in which the rows of a write travel (db/written.py has the same fields in the same order). Instants are
-- epoch seconds. Servers of two releases run side by side while one replaces the other, so a shape never changes: a
-- new one takes its place, beside a function that takes it.

create type new_claim as (
  resource_id uuid, seat smallint, starts_at bigint, ends_at bigint, kind text, owner_id uuid);

create type gone_claim as (resource_id uuid, starts_at bigint, seat smallint);

create type moved_claim as (resource_id uuid, starts_at bigint, seat smallint, seat_new smallint);

create type booked_visit as (
  id uuid, clinic_id uuid, patient_id uuid, room_id uuid, location text, starts_at bigint, ends_at bigint, status text,
  pinned boolean, turnover_minutes integer, assignment_method text, policy_version integer, score integer,
  rules_applied text[], replaces_appointment_id uuid, notes_encrypted bytea, created_by uuid, decision text,
  grounds_id uuid, series_id uuid, group_id uuid);

create type changed_visit as (
  id uuid, version integer, room_id uuid, location text, starts_at bigint, ends_at bigint, status text,
  needs_action text, pinned boolean, turnover_minutes integer, assignment_method text, policy_version integer,
  score integer, rules_applied text[], cancelled_by text, cancel_reason_code text, cancel_reason_encrypted bytea,
  cancelled_at bigint, notice_minutes integer, cancelled_late boolean, checked_in_at bigint, started_at bigint,
  completed_at bigint, notes_encrypted bytea, decision text, grounds_id uuid);

create type new_grounds as (id uuid, body text);

create type visit_line as (
  appointment_id uuid, line_no smallint, practitioner_id uuid, service_id uuid, starts_at bigint, ends_at bigint,
  patient_present boolean, authorization_id uuid, billable boolean, units_reserved integer, unfunded_units integer,
  minutes_actual integer, travel_before_minutes integer, buffer_minutes integer, line_status text, caregiver_id uuid,
  units_used integer, funding text);

create type gone_line as (appointment_id uuid, line_no smallint);

create type new_hold as (
  id uuid, clinic_id uuid, patient_id uuid, practitioner_id uuid, service_id uuid, room_id uuid, location text,
  starts_at bigint, ends_at bigint, turnover_minutes integer, lines jsonb, expires_at bigint, created_by uuid);

create type ended_hold as (id uuid, ended_as text, appointment_id uuid);

create type changed_authorization as (
  id uuid, version integer, version_read integer, used_units integer, scheduled_units integer, manual_units integer);

create type ledger_entry as (
  authorization_id uuid, entry_no integer, kind text, units integer, appointment_id uuid, line_no smallint, seq bigint,
  actor_id uuid, is_manual boolean, note_encrypted bytea);

create type unit_count as (patient_id uuid, on_date date, payer_id uuid, code text, units integer);

create type new_event as (kind text, body json);

create type new_audit as (
  actor_id uuid, action text, subject text, subject_id uuid, detail jsonb, request_id text);

create type new_key as (user_id uuid, key text, fingerprint bytea, status smallint, answer_encrypted bytea);
