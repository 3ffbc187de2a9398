-- The organization's local date.
select (now() at time zone o.time_zone)::date from organizations o where o.organization_id = $1
