-- No authorization has promised and used more than was approved, and none has less than nothing.
select z.id, z.total_units, z.used_units, z.scheduled_units, z.manual_units
from authorizations z
where z.organization_id = $1
  and (z.used_units + z.scheduled_units > z.total_units or z.manual_units > z.scheduled_units
       or least(z.used_units, z.scheduled_units, z.manual_units) < 0)
