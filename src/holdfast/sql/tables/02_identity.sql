-- Who may sign in. login_directory is the one table outside the tenant rule: an e-mail address is unique over
-- all organizations, is looked up before a tenant is known, and refers to nothing.

create table login_directory (
  email text not null,
  organization_id uuid not null,
  constraint login_directory_pkey primary key (email),
  constraint login_directory_email_shape check (email = lower(email) and char_length(email) between 3 and 254)
);

create table users (
  organization_id uuid not null,
  id uuid not null,
  email text not null,
  name text not null default '',
  password_hash text not null,
  role text not null,
  practitioner_id uuid,
  patient_id uuid,
  is_active boolean not null default true,
  session_version integer not null default 1,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  contact_id uuid,
  constraint users_pkey primary key (organization_id, id),
  constraint users_email_key unique (email, organization_id),
  constraint users_organization_fkey foreign key (organization_id) references organizations (organization_id),
  constraint users_role_known check (role in ('admin', 'scheduler', 'practitioner', 'biller', 'patient', 'auditor')),
  constraint users_practitioner_named check ((role = 'practitioner') = (practitioner_id is not null)),
  constraint users_patient_named check ((role = 'patient') = (num_nonnulls(patient_id, contact_id) > 0))
);

-- One row per sign-in, known by the hash of one secret: a refresh token, which rotates inside the row (presenting an
-- older one revokes the family, which is this row), or the cookie of a page, which stays and ends when it is idle.
create table sign_in_sessions (
  organization_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  refresh_hash bytea,
  rotation integer not null default 0,
  created_at timestamptz not null default now(),
  used_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_because text,
  cookie_hash bytea,
  constraint sign_in_sessions_pkey primary key (organization_id, id),
  constraint sign_in_sessions_user_fkey foreign key (organization_id, user_id)
    references users (organization_id, id),
  constraint sign_in_sessions_hash_length check (octet_length(refresh_hash) = 32),
  constraint sign_in_sessions_reason_known check (revoked_because in ('logout', 'reused', 'admin', 'password')),
  constraint sign_in_sessions_cookie_length check (octet_length(cookie_hash) = 32),
  constraint sign_in_sessions_one_secret check (num_nonnulls(refresh_hash, cookie_hash) = 1)
);
create index sign_in_sessions_user on sign_in_sessions (user_id, organization_id);
create index sign_in_sessions_expiry on sign_in_sessions (expires_at, organization_id);

-- A user's second factor: the secret of one-time codes by time, sealed. It counts from enrolled_at on; until then it was
-- only shown. step_used is the last half minute whose code was taken, so that no code is taken twice.
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
