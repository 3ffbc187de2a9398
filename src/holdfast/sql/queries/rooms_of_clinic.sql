-- The rooms of a clinic.
select array(select r.id from rooms r where r.organization_id = $1 and r.clinic_id = $2)
