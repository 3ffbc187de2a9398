-- What is left of an authorization, its row locked until the transaction ends.
select a.total_units - a.scheduled_units as available from authorizations a where a.id = $1 for update
