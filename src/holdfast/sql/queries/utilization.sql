-- What is known of the use of authorizations that have not ended.
select id, total_units, used_units, scheduled_units, start_date, end_date, booked_through
from utilization($1, $2, $3, $4, $5, $6, $7)
