-- Appointments, their lines, and the claims on time that are the law.

-- What rooms were chosen on, whatever the time: the same for thousands of visits, and so kept once, under the hash of what it
-- says (rules/decision.py, Grounds). Never changed.
create table room_grounds (
  organization_id uuid not null,
  id uuid not null,
  body text not null,
  constraint room_grounds_pkey primary key (organization_id, id),
  constraint room_grounds_organization_fkey foreign key (organization_id) references organizations (organization_id)
);

-- Visits that were booked as one, by a rule. `rrule` and `exdates` are as it was booked; `dates` holds each date of it: when the
-- series has it begin, and the visit, or why there is none (commands/series.py, Date).
create table series (
  organization_id uuid not null,
  id uuid not null,
  clinic_id uuid not null,
  patient_id uuid not null,
  rrule text not null,
  exdates date[] not null default '{}',
  dates jsonb not null,
  version integer not null default 1,
  created_by uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint series_pkey primary key (organization_id, id),
  constraint series_clinic_fkey foreign key (organization_id, clinic_id) references clinics (organization_id, id),
  constraint series_patient_fkey foreign key (organization_id, patient_id) references patients (organization_id, id),
  constraint series_dates_count check (jsonb_array_length(dates) between 1 and 104)
);

-- Several patients with one practitioner at the same time (decision 0022). Its time and room are the block of its id, which has
-- the claims on the practitioner and the room; it is cancelled when that is deleted. It is a resource of as many seats as it
-- may have members, and each member's visit claims one: so the law on claims is also that of members_max.
create table groups (
  organization_id uuid not null,
  id uuid not null,
  kind text not null default 'group',
  clinic_id uuid not null,
  service_id uuid not null,
  practitioner_id uuid not null,
  location text not null,
  members_min integer not null,
  members_max integer not null,
  travel_before_minutes integer not null,
  buffer_minutes integer not null,
  turnover_minutes integer not null,
  assignment_method text not null,
  policy_version integer not null,
  score integer,
  rules_applied text[] not null,
  created_by uuid not null,
  decision text,
  grounds_id uuid,
  constraint groups_pkey primary key (organization_id, id),
  constraint groups_resource_fkey foreign key (organization_id, id, kind)
    references resources (organization_id, id, kind),
  constraint groups_block_fkey foreign key (organization_id, id) references blocks (organization_id, id),
  constraint groups_clinic_fkey foreign key (organization_id, clinic_id) references clinics (organization_id, id),
  constraint groups_service_fkey foreign key (organization_id, service_id) references services (organization_id, id),
  constraint groups_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint groups_kind_fixed check (kind = 'group'),
  constraint groups_location_known check (location in ('on_site', 'home', 'school', 'community', 'telehealth')),
  constraint groups_members_range check (members_min between 0 and members_max and members_max between 1 and 100),
  constraint groups_tails_range check (
    travel_before_minutes between 0 and 120 and buffer_minutes between 0 and 120 and turnover_minutes between 0 and 120),
  constraint groups_method_known check (assignment_method in ('auto', 'manual', 'none'))
);

create table appointments (
  organization_id uuid not null,
  id uuid not null,
  clinic_id uuid not null,
  patient_id uuid not null,
  room_id uuid,
  location text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  status text not null,
  needs_action text,
  pinned boolean not null default false,
  turnover_minutes integer not null default 0,
  assignment_method text not null default 'none',
  policy_version integer not null default 0,
  score integer,
  rules_applied text[] not null default '{}',
  cancelled_by text,
  cancel_reason_code text,
  cancel_reason_encrypted bytea,
  cancelled_at timestamptz,
  notice_minutes integer,
  cancelled_late boolean,
  checked_in_at timestamptz,
  started_at timestamptz,
  completed_at timestamptz,
  replaces_appointment_id uuid,
  notes_encrypted bytea,
  created_by uuid,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  decision text,
  grounds_id uuid,
  series_id uuid,
  group_id uuid,
  constraint appointments_pkey primary key (organization_id, id),
  constraint appointments_clinic_fkey foreign key (organization_id, clinic_id)
    references clinics (organization_id, id),
  constraint appointments_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  constraint appointments_room_fkey foreign key (organization_id, room_id) references rooms (organization_id, id),
  constraint appointments_replaces_fkey foreign key (organization_id, replaces_appointment_id)
    references appointments (organization_id, id),
  constraint appointments_series_fkey foreign key (organization_id, series_id) references series (organization_id, id),
  constraint appointments_group_fkey foreign key (organization_id, group_id) references groups (organization_id, id),
  constraint appointments_status_known check (status in (
    'scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed', 'cancelled', 'no_show')),
  constraint appointments_needs_action_known check (
    needs_action in ('practitioner_absent', 'room_closed', 'clinic_closed')),
  constraint appointments_location_known check (
    location in ('on_site', 'home', 'school', 'community', 'telehealth')),
  constraint appointments_length check (
    starts_at < ends_at and ends_at - starts_at <= interval '24 hours'),
  constraint appointments_room_on_site check (location = 'on_site' or room_id is null),
  constraint appointments_turnover_range check (turnover_minutes between 0 and 120),
  constraint appointments_method_known check (assignment_method in ('auto', 'manual', 'none')),
  constraint appointments_cancelled_by_known check (
    cancelled_by in ('patient', 'caregiver', 'practitioner', 'clinic', 'payer', 'weather', 'error')),
  constraint appointments_cancellation_whole check ((status = 'cancelled') = (cancelled_at is not null))
);
create index appointments_by_clinic on appointments (clinic_id, organization_id, starts_at, id);
create index appointments_by_patient on appointments (patient_id, organization_id, starts_at);
-- The few that somebody must see to, and the make-ups: what work lists look for among all the others.
create index appointments_needing_action on appointments (clinic_id, organization_id, starts_at, id)
  where needs_action is not null;
create index appointments_without_room on appointments (clinic_id, organization_id, starts_at, id)
  where room_id is null and location = 'on_site';
create index appointments_replacing on appointments (replaces_appointment_id, organization_id)
  where replaces_appointment_id is not null;
create index appointments_by_series on appointments (series_id, organization_id) where series_id is not null;
create index appointments_by_group on appointments (group_id, organization_id) where group_id is not null;

-- `units_used` is null until the line's note is signed. `funding` says of a billable line what its authorization does not:
-- its units wait for an approval, or nobody has approved them; `unfunded_units` are as many.
create table appointment_lines (
  organization_id uuid not null,
  appointment_id uuid not null,
  line_no smallint not null,
  practitioner_id uuid not null,
  service_id uuid not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  patient_present boolean not null default true,
  authorization_id uuid,
  billable boolean not null default true,
  units_reserved integer not null default 0,
  unfunded_units integer not null default 0,
  minutes_actual integer,
  travel_before_minutes integer not null default 0,
  buffer_minutes integer not null default 0,
  line_status text not null default 'planned',
  caregiver_id uuid,
  units_used integer,
  funding text,
  constraint appointment_lines_pkey primary key (organization_id, appointment_id, line_no),
  constraint appointment_lines_appointment_fkey foreign key (organization_id, appointment_id)
    references appointments (organization_id, id),
  constraint appointment_lines_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id),
  constraint appointment_lines_service_fkey foreign key (organization_id, service_id)
    references services (organization_id, id),
  constraint appointment_lines_authorization_fkey foreign key (organization_id, authorization_id)
    references authorizations (organization_id, id),
  constraint appointment_lines_caregiver_fkey foreign key (organization_id, caregiver_id)
    references contacts (organization_id, id),
  constraint appointment_lines_number check (line_no between 1 and 20),
  constraint appointment_lines_length check (
    starts_at < ends_at and ends_at - starts_at <= interval '24 hours'),
  constraint appointment_lines_units_not_negative check (units_reserved >= 0 and unfunded_units >= 0),
  constraint appointment_lines_units_used_range check (units_used >= 0),
  constraint appointment_lines_funding_known check (funding in ('pending', 'unfunded')),
  constraint appointment_lines_units_authorized check (units_reserved = 0 or authorization_id is not null),
  constraint appointment_lines_minutes_range check (minutes_actual between 0 and 1440),
  constraint appointment_lines_tails_range check (
    travel_before_minutes between 0 and 120 and buffer_minutes between 0 and 120),
  constraint appointment_lines_status_known check (line_status in ('planned', 'completed', 'signed'))
);
create index appointment_lines_by_practitioner on appointment_lines (practitioner_id, organization_id, starts_at);
-- What has been given and has no signed note yet.
create index appointment_lines_unsigned on appointment_lines (practitioner_id, organization_id, starts_at)
  where line_status = 'completed';
-- Units that nobody has approved.
create index appointment_lines_unfunded on appointment_lines (practitioner_id, organization_id, starts_at)
  where unfunded_units > 0;

-- Time that is kept for a booking until it comes or the hold expires. A hold that has ended stays a day, so that "gone" can
-- be told from "never there". `lines` are as the decision reads them (rules/facts.py, Line).
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

-- The law: no two claims on the same seat of a resource overlap. Whoever has a claim blocks; there is no other
-- predicate anywhere. starts_at and ends_at repeat the bounds of during because && on a range is not leakproof
-- and so cannot use an index under row-level security: every read that decides goes by starts_at.
-- Its predicate is true of every claim (claims_length) and no query repeats it: so its index serves the law alone and no
-- read can mark in it as dead what is alive (decision 0013).
-- during is generated, not given: so it cannot say otherwise, and its bytes stay as they are (storage plain; a given value
-- is packed on its way in), which lets the index compare them in place.
create table claims (
  organization_id uuid not null,
  resource_id uuid not null,
  seat smallint not null default 0,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  during tstzrange storage plain not null generated always as (tstzrange(starts_at, ends_at, '[)')) stored,
  kind text not null,
  appointment_id uuid,
  hold_id uuid,
  block_id uuid,
  closure_id uuid,
  time_off_id uuid,
  expires_at timestamptz,
  constraint claims_pkey primary key (organization_id, resource_id, starts_at, seat) include (ends_at),
  constraint claims_no_overlap exclude using gist (
    resource_id with =, during with &&, seat with =, organization_id with =) where (starts_at < ends_at),
  constraint claims_seat_fkey foreign key (organization_id, resource_id, seat)
    references resource_seats (organization_id, resource_id, seat),
  constraint claims_appointment_fkey foreign key (organization_id, appointment_id)
    references appointments (organization_id, id),
  constraint claims_hold_fkey foreign key (organization_id, hold_id) references holds (organization_id, id),
  constraint claims_block_fkey foreign key (organization_id, block_id) references blocks (organization_id, id),
  constraint claims_closure_fkey foreign key (organization_id, closure_id)
    references closures (organization_id, id),
  constraint claims_time_off_fkey foreign key (organization_id, time_off_id)
    references time_off (organization_id, id),
  constraint claims_length check (starts_at < ends_at and ends_at - starts_at <= interval '26 hours'),
  constraint claims_kind_known check (kind in ('visit', 'turnover', 'hold', 'block', 'closure', 'time_off', 'group', 'group_turnover')),
  constraint claims_one_owner check (
    num_nonnulls(appointment_id, hold_id, block_id, closure_id, time_off_id) = 1),
  constraint claims_kind_of_owner check (
    (kind in ('visit', 'turnover')) = (appointment_id is not null)
    and (kind = 'hold') = (hold_id is not null) and (kind in ('block', 'group', 'group_turnover')) = (block_id is not null)
    and (kind = 'closure') = (closure_id is not null) and (kind = 'time_off') = (time_off_id is not null)),
  constraint claims_expiry_of_holds check ((expires_at is not null) = (kind = 'hold'))
);
create index claims_by_hold on claims (hold_id, organization_id) where hold_id is not null;
