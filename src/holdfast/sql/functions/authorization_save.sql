-- Writes one authorization as its document says. The counters begin at nothing and move only with the ledger; whose it is,
-- who pays and how units are counted stays as it was recorded.
create or replace function authorization_save(organization uuid, document json, saved_at timestamptz)
returns void
language sql volatile
as $$
  insert into authorizations (
    organization_id, id, patient_id, payer_id, authorization_number, service_codes, unit_basis, total_units,
    start_date, end_date, approval, version, created_at, updated_at, caps)
  select organization, d.id, d.patient_id, d.payer_id, d.authorization_number, d.service_codes, d.unit_basis,
         d.total_units, d.start_date, d.end_date, d.approval, d.version, saved_at, saved_at,
         coalesce(d.caps, '[]')
  from json_populate_record(null::authorizations, document) d
  on conflict (organization_id, id) do update
    set authorization_number = excluded.authorization_number, service_codes = excluded.service_codes,
        total_units = excluded.total_units, start_date = excluded.start_date, end_date = excluded.end_date,
        approval = excluded.approval, caps = excluded.caps, version = excluded.version, updated_at = excluded.updated_at;
$$;
