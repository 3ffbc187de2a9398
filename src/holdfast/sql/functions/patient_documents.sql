-- Patients as the API shows them; alerts and how to reach the contacts are still sealed (hex).
create or replace function patient_documents(organization uuid)
returns table (id uuid, version integer, document json)
language sql stable
as $$
  select p.id, p.version, json_build_object(
    'id', p.id, 'given_name', p.given_name, 'family_name', p.family_name, 'birth_date', p.birth_date,
    'needs', p.needs, 'alerts_encrypted', encode(p.alerts_encrypted, 'hex'),
    'contacts', coalesce((
      select json_agg(json_build_object(
        'contact_id', c.id, 'relationship', l.relationship, 'may_cancel', l.may_cancel,
        'receives_reminders', l.receives_reminders, 'name', c.name,
        'phone_encrypted', encode(c.phone_encrypted, 'hex'), 'email_encrypted', encode(c.email_encrypted, 'hex'),
        'language', c.language, 'channel', c.channel, 'consented_on', c.consented_on) order by l.position)
      from patient_contacts l
      join contacts c on c.organization_id = organization and c.id = l.contact_id
      where l.organization_id = organization and l.patient_id = p.id and c.is_active), '[]'),
    'coverages', coalesce((
      select json_agg(json_build_object(
        'payer_id', k.payer_id, 'member_number', k.member_number, 'rank', k.rank, 'valid_from', k.valid_from,
        'valid_to', k.valid_to) order by k.position)
      from coverages k where k.organization_id = organization and k.patient_id = p.id), '[]'),
    'language', p.language, 'needs_interpreter', p.needs_interpreter,
    'excluded_practitioner_ids', array(
      select w.practitioner_id
      from patient_practitioners w
      where w.organization_id = organization and w.patient_id = p.id and w.preference = 'excluded'
      order by w.practitioner_id),
    'preferred_practitioner_ids', array(
      select w.practitioner_id
      from patient_practitioners w
      where w.organization_id = organization and w.patient_id = p.id and w.preference = 'preferred'
      order by w.practitioner_id),
    'availability', coalesce((
      select json_agg(json_build_object(
        'weekday', v.weekday, 'start', left(v.starts::text, 5), 'end', left(v.ends::text, 5)) order by v.position)
      from patient_availability v where v.organization_id = organization and v.patient_id = p.id), '[]'),
    'is_active', p.is_active,
    'version', p.version, 'created_at', as_instant(p.created_at), 'updated_at', as_instant(p.updated_at))
  from patients p
  where p.organization_id = organization
$$;
