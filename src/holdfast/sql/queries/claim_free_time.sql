-- Claims for an absence what is free now on the seats of some resources.
select claim_free_time($1, $2, $3, $4, $5, $6, $7)
