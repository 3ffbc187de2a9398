-- One unit more than there is, which a careless script reserves and enters into the ledger.
with taken as (
  update authorizations z
  set scheduled_units = z.total_units - z.used_units + 1, version = z.version + 1,
      manual_units = z.manual_units + z.total_units - z.used_units + 1 - z.scheduled_units
  where z.organization_id = $1
    and z.id = (select o.id from authorizations o where o.organization_id = $1 order by o.id limit 1)
  returning z.id, z.version, z.total_units - old.used_units + 1 - old.scheduled_units as units
)
insert into authorization_entries (organization_id, authorization_id, entry_no, kind, units, is_manual, seq, created_at)
select $1, t.id, t.version, 'reserve', t.units, $2::uuid is not null, 0, now() from taken t
returning authorization_id
