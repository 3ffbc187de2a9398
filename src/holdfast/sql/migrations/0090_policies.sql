-- migrate:up
create table policies (
  organization_id uuid not null,
  id uuid not null,
  version integer not null,
  scope text not null,
  scope_id uuid,
  rules json not null,
  status text not null default 'validated',
  activated_as integer,
  created_by uuid,
  created_at timestamptz not null,
  activated_at timestamptz,
  ended_at timestamptz,
  constraint policies_pkey primary key (organization_id, id),
  constraint policies_organization_fkey foreign key (organization_id) references organizations (organization_id),
  constraint policies_version_key unique (version, organization_id),
  constraint policies_scope_known check (scope in ('organization', 'clinic', 'service', 'practitioner')),
  constraint policies_scope_named check ((scope = 'organization') = (scope_id is null)),
  constraint policies_status_known check (status in ('validated', 'active', 'replaced', 'rolled_back')),
  constraint policies_activation_whole check ((status = 'active') = (activated_as is not null))
);
create unique index policies_in_force on policies (scope, scope_id, organization_id) nulls not distinct
  where status = 'active';

create table policy_states (
  organization_id uuid not null,
  version integer not null,
  policy_ids uuid[] not null,
  version_before integer not null,
  activates uuid,
  over integer,
  created_by uuid,
  created_at timestamptz not null,
  constraint policy_states_pkey primary key (organization_id, version),
  constraint policy_states_organization_fkey foreign key (organization_id) references organizations (organization_id),
  constraint policy_states_policy_fkey foreign key (organization_id, activates) references policies (organization_id, id),
  constraint policy_states_order check (0 <= version_before and version_before < version and over < version)
);

alter table turns add column policy_version integer not null default 0;

-- migrate:down
-- squawk-ignore ban-drop-column
alter table turns drop column policy_version;
-- squawk-ignore ban-drop-function
drop function if exists active_policies(uuid), policy_documents(uuid);
-- squawk-ignore ban-drop-table
drop table policy_states, policies;
