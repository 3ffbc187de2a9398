-- Gives a resource its seats.
select set_seats($1, $2, $3, $4, $5)
