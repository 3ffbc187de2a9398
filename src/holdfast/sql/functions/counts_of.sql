-- What caps are held against: the units of patients, each between two local dates, by date, payer and service code.
create or replace function counts_of(organization uuid, patients uuid[], first_dates date[], last_dates date[])
returns json
language sql stable
as $$
  select json_agg(json_build_array(u.patient_id, u.on_date, u.payer_id, u.code, u.units))
  from unnest(patients, first_dates, last_dates) w(patient_id, first_date, last_date)
  cross join lateral (
    select u.* from unit_counts u
    where u.organization_id = organization and u.patient_id = w.patient_id
      and u.on_date between w.first_date and w.last_date
    order by u.on_date
    offset 0) u
$$;
