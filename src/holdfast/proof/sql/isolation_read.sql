-- What is left of an authorization, looked at without a lock.
select a.total_units - a.scheduled_units as available from authorizations a where a.id = $1
