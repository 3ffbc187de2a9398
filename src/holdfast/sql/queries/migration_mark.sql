-- notes one migration as applied
insert into holdfast_meta.schema_migrations (version, name, checksum) values ($1, $2, $3)
