-- migrate:up
create table break_glass_requests (
  organization_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  patient_id uuid not null,
  minutes smallint not null,
  justification_encrypted bytea not null,
  version integer not null default 1,
  requested_at timestamptz not null,
  approved_by uuid,
  approved_at timestamptz,
  ended_as text,
  ended_at timestamptz,
  ended_by uuid,
  constraint break_glass_requests_pkey primary key (organization_id, id),
  constraint break_glass_requests_user_fkey foreign key (organization_id, user_id)
    references users (organization_id, id),
  constraint break_glass_requests_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  constraint break_glass_requests_approver_fkey foreign key (organization_id, approved_by)
    references users (organization_id, id),
  constraint break_glass_requests_ender_fkey foreign key (organization_id, ended_by)
    references users (organization_id, id),
  constraint break_glass_requests_minutes_known check (minutes in (30, 60, 120, 240, 480)),
  constraint break_glass_requests_two_people check (approved_by <> user_id),
  constraint break_glass_requests_approval_whole check ((approved_by is null) = (approved_at is null)),
  constraint break_glass_requests_ended_as_known check (ended_as in ('revoked', 'expired')),
  constraint break_glass_requests_end_whole check (
    (ended_as is null) = (ended_at is null) and ((ended_as = 'revoked') is true) = (ended_by is not null))
);
create index break_glass_requests_open on break_glass_requests (user_id, patient_id, organization_id)
  where ended_as is null;

create table break_glass_uses (
  organization_id uuid not null,
  break_glass_id uuid not null,
  id uuid not null,
  action text not null,
  subject_id uuid,
  request_id text not null default '',
  used_at timestamptz not null default now(),
  constraint break_glass_uses_pkey primary key (organization_id, break_glass_id, id),
  constraint break_glass_uses_request_fkey foreign key (organization_id, break_glass_id)
    references break_glass_requests (organization_id, id)
);

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists break_glass_documents(uuid);
-- squawk-ignore ban-drop-table
drop table break_glass_uses;
-- squawk-ignore ban-drop-table
drop table break_glass_requests;
