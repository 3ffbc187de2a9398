-- In whose wall clock the dates of a clinic's calendar are.
select time_zone from clinics where organization_id = $1 and id = $2
