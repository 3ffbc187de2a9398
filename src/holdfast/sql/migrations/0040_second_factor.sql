-- migrate:up
create table totp_factors (
  organization_id uuid not null,
  user_id uuid not null,
  secret_encrypted bytea not null,
  step_used bigint not null default 0,
  created_at timestamptz not null default now(),
  enrolled_at timestamptz,
  constraint totp_factors_pkey primary key (organization_id, user_id),
  constraint totp_factors_user_fkey foreign key (organization_id, user_id) references users (organization_id, id)
);

-- Every organization that is there already is a real one.
alter table organizations add column is_scratch boolean not null default false;

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists delete_scratch(uuid);
-- squawk-ignore ban-drop-column
alter table organizations drop column is_scratch;
-- squawk-ignore ban-drop-table
drop table totp_factors;
