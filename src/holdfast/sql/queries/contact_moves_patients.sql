-- The next version of every patient that a contact belongs to: what is shown of them has changed.
update patients p
set version = p.version + 1, updated_at = $3
from patient_contacts l
where l.organization_id = $1 and l.contact_id = $2 and p.organization_id = $1 and p.id = l.patient_id
returning p.id, p.is_active, p.version, as_instant(p.created_at) as created_at, as_instant(p.updated_at) as updated_at
