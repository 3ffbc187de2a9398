-- Changes the organization; settings it has that this version does not know stay.
update organizations
set name = $2, time_zone = $3, patient_label = $4, settings = settings || $5, version = version + 1
where organization_id = $1
