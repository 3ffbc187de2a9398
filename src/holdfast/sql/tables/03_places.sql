-- Clinics, their hours and closures, and rooms. A resource is anything that time can be claimed on; a seat is
-- one of the visits it can hold at once. Claims name seats, so "how many at once" is a fact of storage.

create table resources (
  organization_id uuid not null,
  id uuid not null,
  kind text not null,
  constraint resources_pkey primary key (organization_id, id),
  constraint resources_kind_key unique (id, kind, organization_id),
  constraint resources_organization_fkey foreign key (organization_id) references organizations (organization_id),
  constraint resources_kind_known check (kind in ('room', 'practitioner', 'patient', 'contact', 'group'))
);

create table resource_seats (
  organization_id uuid not null,
  resource_id uuid not null,
  seat smallint not null,
  kind text not null,
  constraint resource_seats_pkey primary key (organization_id, resource_id, seat),
  constraint resource_seats_resource_fkey foreign key (organization_id, resource_id, kind)
    references resources (organization_id, id, kind),
  constraint resource_seats_number check (seat between 0 and 99),
  constraint resource_seats_patient_one check (kind <> 'patient' or seat = 0),
  constraint resource_seats_contact_one check (kind <> 'contact' or seat = 0)
);

create table clinics (
  organization_id uuid not null,
  id uuid not null,
  name text not null,
  time_zone text not null,
  allow_unassigned boolean not null default false,
  is_active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint clinics_pkey primary key (organization_id, id),
  constraint clinics_organization_fkey foreign key (organization_id) references organizations (organization_id),
  constraint clinics_name_key unique (name, organization_id),
  constraint clinics_name_length check (char_length(name) between 1 and 200)
);

-- Weekly hours in the clinic's own wall clock; weekday 0 is Monday; "24:00" closes at midnight.
create table opening_hours (
  organization_id uuid not null,
  clinic_id uuid not null,
  weekday smallint not null,
  opens time not null,
  closes time not null,
  constraint opening_hours_pkey primary key (organization_id, clinic_id, weekday, opens),
  constraint opening_hours_clinic_fkey foreign key (organization_id, clinic_id)
    references clinics (organization_id, id),
  constraint opening_hours_weekday_known check (weekday between 0 and 6),
  constraint opening_hours_not_reversed check (opens < closes)
);

create table rooms (
  organization_id uuid not null,
  id uuid not null,
  clinic_id uuid not null,
  kind text not null default 'room',
  number text not null,
  name text not null default '',
  room_type text not null,
  capacity integer not null default 1,
  concurrent_visits_max smallint not null default 1,
  equipment text[] not null default '{}',
  accessibility text[] not null default '{}',
  cleaning_minutes integer not null default 15,
  is_available boolean not null default true,
  is_active boolean not null default true,
  color text,
  display_order integer not null default 0,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint rooms_pkey primary key (organization_id, id),
  constraint rooms_resource_fkey foreign key (organization_id, id, kind)
    references resources (organization_id, id, kind),
  constraint rooms_clinic_fkey foreign key (organization_id, clinic_id) references clinics (organization_id, id),
  constraint rooms_number_key unique (clinic_id, number, organization_id),
  constraint rooms_kind_fixed check (kind = 'room'),
  constraint rooms_number_length check (char_length(number) between 1 and 40),
  constraint rooms_capacity_positive check (capacity between 1 and 1000),
  constraint rooms_concurrent_visits_range check (concurrent_visits_max between 1 and 100),
  constraint rooms_cleaning_range check (cleaning_minutes between 0 and 120),
  constraint rooms_color_shape check (color ~ '^#[0-9A-F]{6}$')
);

-- A closure of a whole clinic or of one room. Recording one always succeeds; it counts at once against new
-- bookings, and claims the time of the rooms that is free at that moment.
create table closures (
  organization_id uuid not null,
  id uuid not null,
  clinic_id uuid not null,
  room_id uuid,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  reason text not null default '',
  created_at timestamptz not null default now(),
  version integer not null default 1,
  constraint closures_pkey primary key (organization_id, id),
  constraint closures_clinic_fkey foreign key (organization_id, clinic_id) references clinics (organization_id, id),
  constraint closures_room_fkey foreign key (organization_id, room_id) references rooms (organization_id, id),
  constraint closures_not_reversed check (starts_at < ends_at),
  constraint closures_length check (ends_at - starts_at <= interval '366 days')
);
create index closures_ending on closures (ends_at, organization_id);
