-- Y3 begins on as many stored bookings as Holdfast does (bench_visits.sql, the same places, people and hours): the price
-- of an exclusion grows with what is stored, and a ratio compares like with like.
with given as (
  select $1::integer as clinics, $2::integer as weeks, $3::integer as practitioners_each, $4::integer as patients_each
)
insert into bookings (room_id, practitioner_id, patient_id, during)
select md5(format('room %s %s %s', g.clinics, c.n, ((i.n / 5) % 10 * 2 + i.n / 50 + w.n) % 10))::uuid,
       md5(format('practitioner %s %s %s', g.clinics, c.n, (i.n + i.n / 50 + 13 * w.n) % g.practitioners_each))::uuid,
       md5(format('patient %s %s %s', g.clinics, c.n, (i.n + 17 * w.n) % g.patients_each))::uuid,
       tstzrange(v.starts_at, v.starts_at + interval '1 hour', '[)')
from given g
cross join lateral generate_series(0, g.weeks - 1) w(n)
cross join lateral generate_series(0, g.clinics - 1) c(n)
cross join generate_series(0, 99) i(n)
cross join lateral (
  select timestamptz '2030-01-07 08:00:00+00' + w.n * interval '7 days' + (i.n % 5) * interval '1 day'
           + (i.n / 5) % 10 * interval '1 hour' as starts_at) v
order by v.starts_at
