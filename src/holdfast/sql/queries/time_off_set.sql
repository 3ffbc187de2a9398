-- Changes the time or kind of a practitioner's time off.
update time_off set starts_at = $3, ends_at = $4, kind = $5, version = version + 1
where organization_id = $1 and id = $2
