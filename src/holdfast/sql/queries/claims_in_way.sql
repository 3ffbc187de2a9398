-- The claims in the way of many requests at once, and the seq they are true at.
select claims_in_way($1, $2, $3, $4, $5, $6, $7)
