-- Authorizations as the API shows them. The status is computed: what a person decided, then the organization's
-- local date, then the counters.
create or replace function authorization_documents(organization uuid)
returns table (id uuid, version integer, patient_id uuid, status text, document json)
language sql stable
as $$
  select z.id, z.version, z.patient_id, s.status, json_build_object(
    'id', z.id, 'patient_id', z.patient_id, 'payer_id', z.payer_id,
    'payer', (select y.name from payers y where y.organization_id = organization and y.id = z.payer_id),
    'authorization_number', z.authorization_number, 'service_codes', z.service_codes, 'unit_basis', z.unit_basis,
    'total_units', z.total_units, 'used_units', z.used_units, 'scheduled_units', z.scheduled_units,
    'manual_units', z.manual_units, 'available_units', z.total_units - z.used_units - z.scheduled_units,
    'start_date', z.start_date, 'end_date', z.end_date, 'caps', z.caps, 'approval', z.approval, 'status', s.status,
    'version', z.version, 'created_at', as_instant(z.created_at), 'updated_at', as_instant(z.updated_at))
  from authorizations z
  cross join lateral (
    select case
      when z.approval <> 'approved' then z.approval
      when z.end_date < (
        select (now() at time zone o.time_zone)::date from organizations o where o.organization_id = organization
      ) then 'expired'
      when z.used_units = z.total_units then 'exhausted'
      else 'active'
    end as status) s
  where z.organization_id = organization
$$;
