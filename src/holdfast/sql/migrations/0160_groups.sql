-- migrate:up
-- What a constraint allows becomes more: every row that is there obeys the new one too. Rows are looked through by the
-- next migration, which lets bookings go on meanwhile.
-- squawk-ignore ban-drop-constraint
alter table resources drop constraint resources_kind_known;
alter table resources add constraint resources_kind_known
  check (kind in ('room', 'practitioner', 'patient', 'contact', 'group')) not valid;
-- squawk-ignore ban-drop-constraint
alter table blocks drop constraint blocks_kind_known;
alter table blocks add constraint blocks_kind_known
  check (kind in ('meeting', 'break', 'admin', 'training', 'travel', 'group')) not valid;
-- squawk-ignore ban-drop-constraint
alter table claims drop constraint claims_kind_known;
alter table claims add constraint claims_kind_known
  check (kind in ('visit', 'turnover', 'hold', 'block', 'closure', 'time_off', 'group', 'group_turnover')) not valid;
-- squawk-ignore ban-drop-constraint
alter table claims drop constraint claims_kind_of_owner;
alter table claims add constraint claims_kind_of_owner check (
    (kind in ('visit', 'turnover')) = (appointment_id is not null)
    and (kind = 'hold') = (hold_id is not null) and (kind in ('block', 'group', 'group_turnover')) = (block_id is not null)
    and (kind = 'closure') = (closure_id is not null) and (kind = 'time_off') = (time_off_id is not null)) not valid;

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

alter table appointments add constraint appointments_group_fkey foreign key (organization_id, group_id)
  references groups (organization_id, id) not valid;

-- migrate:down
-- squawk-ignore ban-drop-constraint
alter table appointments drop constraint appointments_group_fkey;
-- squawk-ignore ban-drop-table
drop table groups;
-- squawk-ignore ban-drop-constraint
alter table claims drop constraint claims_kind_of_owner;
alter table claims add constraint claims_kind_of_owner check (
    (kind in ('visit', 'turnover')) = (appointment_id is not null)
    and (kind = 'hold') = (hold_id is not null) and (kind = 'block') = (block_id is not null)
    and (kind = 'closure') = (closure_id is not null) and (kind = 'time_off') = (time_off_id is not null)) not valid;
-- squawk-ignore ban-drop-constraint
alter table claims drop constraint claims_kind_known;
alter table claims add constraint claims_kind_known
  check (kind in ('visit', 'turnover', 'hold', 'block', 'closure', 'time_off')) not valid;
-- squawk-ignore ban-drop-constraint
alter table blocks drop constraint blocks_kind_known;
alter table blocks add constraint blocks_kind_known
  check (kind in ('meeting', 'break', 'admin', 'training', 'travel')) not valid;
-- squawk-ignore ban-drop-constraint
alter table resources drop constraint resources_kind_known;
alter table resources add constraint resources_kind_known
  check (kind in ('room', 'practitioner', 'patient', 'contact')) not valid;
