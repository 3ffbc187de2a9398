-- What is given, and who pays for it.

create table services (
  organization_id uuid not null,
  id uuid not null,
  name text not null,
  code text not null,
  duration_minutes integer not null,
  locations text[] not null default '{on_site}',
  attendance text not null default 'patient',
  room_types text[] not null default '{}',
  equipment text[] not null default '{}',
  capacity integer not null default 1,
  required_credentials text[] not null default '{}',
  turnover_minutes integer,
  unit_basis text not null default 'time',
  unit_minutes integer not null default 15,
  authorization_required boolean not null default false,
  shares_practitioner boolean not null default false,
  is_active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint services_pkey primary key (organization_id, id),
  constraint services_organization_fkey foreign key (organization_id) references organizations (organization_id),
  constraint services_name_length check (char_length(name) between 1 and 200),
  constraint services_code_length check (char_length(code) between 1 and 40),
  constraint services_duration_range check (duration_minutes between 1 and 1440),
  constraint services_locations_known check (
    cardinality(locations) between 1 and 5
    and locations <@ array['on_site', 'home', 'school', 'community', 'telehealth']),
  constraint services_attendance_known check (attendance in ('patient', 'caregiver', 'either', 'none')),
  constraint services_capacity_positive check (capacity between 1 and 1000),
  constraint services_turnover_range check (turnover_minutes between 0 and 120),
  constraint services_unit_basis_known check (unit_basis in ('time', 'visit', 'day')),
  constraint services_unit_minutes_range check (unit_minutes between 1 and 1440)
);

-- `unit_caps`: units of a code that are paid for in one day; what is known of the codes of applied behaviour analysis stands
-- here from the beginning. `cap_policy` says what becomes of a visit beyond them, `over_units` of one that lacks units.
create table payers (
  organization_id uuid not null,
  id uuid not null,
  name text not null,
  rounding text not null default 'cpt_midpoint',
  rounding_scope text not null default 'session',
  concurrent_policy text not null default 'deny',
  concurrent_pairs jsonb not null default '[]',
  over_units text not null default 'deny',
  codes_needing_authorization text[] not null default '{}',
  week_start smallint not null default 0,
  is_active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unit_caps jsonb not null default '[
    {"code": "97151", "units": 32}, {"code": "97152", "units": 16}, {"code": "97153", "units": 32},
    {"code": "97154", "units": 18}, {"code": "97155", "units": 24}, {"code": "97156", "units": 16},
    {"code": "97157", "units": 16}, {"code": "97158", "units": 16}]',
  cap_policy text not null default 'warn',
  constraint payers_pkey primary key (organization_id, id),
  constraint payers_organization_fkey foreign key (organization_id) references organizations (organization_id),
  constraint payers_name_key unique (name, organization_id),
  constraint payers_name_length check (char_length(name) between 1 and 200),
  constraint payers_rounding_known check (rounding in ('cpt_midpoint', 'cms_8_minute', 'full_units', 'ceil')),
  constraint payers_rounding_scope_known check (rounding_scope in ('session', 'day')),
  constraint payers_concurrent_policy_known check (concurrent_policy in ('deny', 'nonbillable', 'allow')),
  constraint payers_over_units_known check (over_units in ('deny', 'warn', 'allow')),
  constraint payers_week_start_known check (week_start between 0 and 6),
  constraint payers_cap_policy_known check (cap_policy in ('deny', 'warn', 'allow'))
);
