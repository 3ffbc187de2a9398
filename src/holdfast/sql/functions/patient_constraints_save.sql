-- Writes what decides bookings of one patient beside the row itself, as far as the document says it: coverages,
-- practitioners, availability; and repeats it in the row, which bookings read.
create or replace function patient_constraints_save(organization uuid, document json)
returns void
language sql volatile
as $$
  delete from coverages k
  where k.organization_id = organization and k.patient_id = (document ->> 'id')::uuid
    and document -> 'coverages' is not null;
  insert into coverages (organization_id, patient_id, position, payer_id, member_number, rank, valid_from, valid_to)
  select organization, (document ->> 'id')::uuid, k.position, k.payer_id, k.member_number, k.rank, k.valid_from,
         k.valid_to
  from rows from (json_to_recordset(document -> 'coverages')
                  as (payer_id uuid, member_number text, rank smallint, valid_from date, valid_to date))
       with ordinality as k(payer_id, member_number, rank, valid_from, valid_to, position);

  delete from patient_practitioners w
  where w.organization_id = organization and w.patient_id = (document ->> 'id')::uuid
    and document -> 'excluded_practitioner_ids' is not null;
  insert into patient_practitioners (organization_id, patient_id, practitioner_id, preference)
  select organization, (document ->> 'id')::uuid, w.id::uuid, 'excluded'
  from json_array_elements_text(document -> 'excluded_practitioner_ids') w(id)
  union all
  select organization, (document ->> 'id')::uuid, w.id::uuid, 'preferred'
  from json_array_elements_text(document -> 'preferred_practitioner_ids') w(id);

  delete from patient_availability v
  where v.organization_id = organization and v.patient_id = (document ->> 'id')::uuid
    and document -> 'availability' is not null;
  insert into patient_availability (organization_id, patient_id, position, weekday, starts, ends)
  select organization, (document ->> 'id')::uuid, v.position, v.weekday, v.starts, v.ends
  from rows from (json_to_recordset(document -> 'availability') as (weekday smallint, start time, "end" time))
       with ordinality as v(weekday, starts, ends, position);

  update patients p
  set booking_constraints = patient_constraints(organization, p.id)
  where p.organization_id = organization and p.id = (document ->> 'id')::uuid
    and p.booking_constraints is distinct from patient_constraints(organization, p.id);
$$;
