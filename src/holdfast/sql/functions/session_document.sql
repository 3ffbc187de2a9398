-- A session as the API shows it, without what was written: the line is as it is now, null where it has left its visit.
create or replace function session_document(organization uuid, session uuid)
returns json
language sql stable
as $$
  select json_build_object(
    'id', s.id, 'appointment_id', s.appointment_id, 'line_no', s.line_no, 'clinic_id', a.clinic_id,
    'patient_id', s.patient_id, 'patient_name', p.given_name || ' ' || p.family_name,
    'practitioner_id', s.practitioner_id, 'practitioner_name', n.name,
    'service_id', l.service_id, 'service_code', v.code,
    'start', as_instant(l.starts_at), 'end', as_instant(l.ends_at),
    'status', case when s.signed_at is null then 'draft' else 'signed' end,
    'minutes_actual', l.minutes_actual, 'units_used', l.units_used, 'unfunded_units', coalesce(l.unfunded_units, 0),
    'versions', (
      select count(*) from session_versions w where w.organization_id = organization and w.session_id = s.id),
    'signed_at', as_instant(s.signed_at), 'version', s.version, 'created_at', as_instant(s.created_at),
    'updated_at', as_instant(s.updated_at))
  from sessions s
  join appointments a on a.organization_id = organization and a.id = s.appointment_id
  join patients p on p.organization_id = organization and p.id = s.patient_id
  join practitioners n on n.organization_id = organization and n.id = s.practitioner_id
  left join appointment_lines l
    on l.organization_id = organization and l.appointment_id = s.appointment_id and l.line_no = s.line_no
  left join services v on v.organization_id = organization and v.id = l.service_id
  where s.organization_id = organization and s.id = session
$$;
