-- Promises units of an authorization that has been looked at.
update authorizations set scheduled_units = scheduled_units + $2 where id = $1
