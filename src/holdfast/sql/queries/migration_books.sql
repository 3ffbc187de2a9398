-- which migrations this database has; dbmate reads it as --migrations-table holdfast_meta.schema_migrations
create table holdfast_meta.schema_migrations (
  version text not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  constraint schema_migrations_pkey primary key (version)
);
grant select on holdfast_meta.schema_migrations to holdfast_service;
