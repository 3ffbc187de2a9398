-- How many users there are, counted up to a bound.
select count(*) from (
  select from users
  where organization_id = $1 and ($2::text is null or role = $2) and ($3::boolean is null or is_active = $3)
  limit $4) counted
