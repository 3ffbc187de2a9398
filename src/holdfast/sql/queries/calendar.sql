-- One clinic's time in one snapshot, as JSON.
select calendar($1, $2, $3, $4, $5, $6)
