-- What decides bookings of one patient beside the row itself, as facts reads it: practitioners, weekly availability in
-- minutes since midnight, coverages by rank. A member without rows is left out; null when nothing is left.
create or replace function patient_constraints(organization uuid, patient uuid)
returns jsonb
language sql stable
as $$
  select nullif(jsonb_strip_nulls(jsonb_build_object(
    'excluded', (
      select jsonb_agg(w.practitioner_id order by w.practitioner_id)
      from patient_practitioners w
      where w.organization_id = organization and w.patient_id = patient and w.preference = 'excluded'),
    'preferred', (
      select jsonb_agg(w.practitioner_id order by w.practitioner_id)
      from patient_practitioners w
      where w.organization_id = organization and w.patient_id = patient and w.preference = 'preferred'),
    'availability', (
      select jsonb_agg(jsonb_build_array(
        v.weekday, extract(epoch from v.starts)::integer / 60, extract(epoch from v.ends)::integer / 60)
        order by v.position)
      from patient_availability v
      where v.organization_id = organization and v.patient_id = patient),
    'coverages', (
      select jsonb_agg(jsonb_build_array(k.payer_id, k.rank, k.valid_from, k.valid_to) order by k.rank, k.position)
      from coverages k
      where k.organization_id = organization and k.patient_id = patient))), '{}')
$$;
