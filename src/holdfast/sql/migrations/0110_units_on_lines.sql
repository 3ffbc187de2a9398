-- migrate:up
alter table appointments add column series_id uuid;
alter table appointments add column group_id uuid;
alter table appointment_lines add column units_used integer;
alter table appointment_lines add column funding text;
-- Both are null in every row that is there, so there is nothing to find; the scan is the price of saying so.
-- squawk-ignore constraint-missing-not-valid
alter table appointment_lines add constraint appointment_lines_units_used_range check (units_used >= 0);
-- squawk-ignore constraint-missing-not-valid
alter table appointment_lines add constraint appointment_lines_funding_known check (funding in ('pending', 'unfunded'));

-- A visit's row travels with its series and group, a line's with what was used, a ledger entry by hand with its note.
-- Nothing is released that would still call the function without.
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], moved_claim[], new_claim[], new_grounds[], new_visit[], changed_visit[],
  kept_line[], kept_line[], gone_line[], new_hold[], ended_hold[], changed_authorization[], new_entry[], new_event[],
  new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists keep_visits(uuid, timestamptz, new_grounds[], new_visit[], changed_visit[]);
-- squawk-ignore ban-drop-function
drop function if exists keep_lines(uuid, kept_line[], kept_line[], gone_line[]);
-- squawk-ignore ban-drop-type
drop type new_visit, kept_line, new_entry;
create type booked_visit as (
  id uuid, clinic_id uuid, patient_id uuid, room_id uuid, location text, starts_at bigint, ends_at bigint, status text,
  pinned boolean, turnover_minutes integer, assignment_method text, policy_version integer, score integer,
  rules_applied text[], replaces_appointment_id uuid, notes_encrypted bytea, created_by uuid, decision text,
  grounds_id uuid, series_id uuid, group_id uuid);

create type visit_line as (
  appointment_id uuid, line_no smallint, practitioner_id uuid, service_id uuid, starts_at bigint, ends_at bigint,
  patient_present boolean, authorization_id uuid, billable boolean, units_reserved integer, unfunded_units integer,
  minutes_actual integer, travel_before_minutes integer, buffer_minutes integer, line_status text, caregiver_id uuid,
  units_used integer, funding text);

create type ledger_entry as (
  authorization_id uuid, entry_no integer, kind text, units integer, appointment_id uuid, line_no smallint, seq bigint,
  actor_id uuid, is_manual boolean, note_encrypted bytea);

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], moved_claim[], new_claim[], new_grounds[], booked_visit[],
  changed_visit[], visit_line[], visit_line[], gone_line[], new_hold[], ended_hold[], changed_authorization[],
  ledger_entry[], new_event[], new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists keep_visits(uuid, timestamptz, new_grounds[], booked_visit[], changed_visit[]);
-- squawk-ignore ban-drop-function
drop function if exists keep_lines(uuid, visit_line[], visit_line[], gone_line[]);
-- squawk-ignore ban-drop-type
drop type booked_visit, visit_line, ledger_entry;
create type new_visit as (
  id uuid, clinic_id uuid, patient_id uuid, room_id uuid, location text, starts_at bigint, ends_at bigint, status text,
  pinned boolean, turnover_minutes integer, assignment_method text, policy_version integer, score integer,
  rules_applied text[], replaces_appointment_id uuid, notes_encrypted bytea, created_by uuid, decision text,
  grounds_id uuid);

create type kept_line as (
  appointment_id uuid, line_no smallint, practitioner_id uuid, service_id uuid, starts_at bigint, ends_at bigint,
  patient_present boolean, authorization_id uuid, billable boolean, units_reserved integer, unfunded_units integer,
  minutes_actual integer, travel_before_minutes integer, buffer_minutes integer, line_status text, caregiver_id uuid);

create type new_entry as (
  authorization_id uuid, entry_no integer, kind text, units integer, appointment_id uuid, line_no smallint, seq bigint,
  actor_id uuid);

-- squawk-ignore ban-drop-column
alter table appointment_lines drop column funding;
-- squawk-ignore ban-drop-column
alter table appointment_lines drop column units_used;
-- squawk-ignore ban-drop-column
alter table appointments drop column group_id;
-- squawk-ignore ban-drop-column
alter table appointments drop column series_id;
