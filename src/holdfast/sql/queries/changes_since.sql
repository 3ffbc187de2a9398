-- Where an organization stands, and what has happened to its time after a seq.
select changes_since($1, $2, $3)
