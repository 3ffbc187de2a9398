-- The holds of an organization that have expired and not ended, as the decision reads them.
select expiring_hold($1, h.id)::text as document
from holds h
where h.organization_id = $1 and h.ended_as is null and h.expires_at <= $2
