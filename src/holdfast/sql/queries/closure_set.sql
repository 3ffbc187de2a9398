-- Changes a closure's time or reason.
update closures set starts_at = $3, ends_at = $4, reason = $5, version = version + 1
where organization_id = $1 and id = $2
