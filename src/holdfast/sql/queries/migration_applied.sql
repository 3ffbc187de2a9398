-- what has been applied here, in order
select version, name, checksum from holdfast_meta.schema_migrations order by version
