-- a database without books is a fresh one
select to_regclass('holdfast_meta.schema_migrations') is not null
