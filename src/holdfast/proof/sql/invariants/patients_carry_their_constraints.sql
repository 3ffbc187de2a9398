-- What bookings read of a patient's practitioners, availability and coverages is what their tables say.
select p.id, p.booking_constraints as carried, n.booking_constraints as due
from patients p
cross join lateral (select patient_constraints($1, p.id) as booking_constraints) n
where p.organization_id = $1 and p.booking_constraints is distinct from n.booking_constraints
