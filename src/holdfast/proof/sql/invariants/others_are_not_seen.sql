-- A transaction of this organization sees nobody else's rows in any table: every key names the organization, and if one query
-- did not, row-level security would still keep them apart. Who is above it (a superuser) sees all, which says nothing.
select s.seen_in, s.organization_id
from (
  (select 'organizations' as seen_in, r.organization_id from organizations r where r.organization_id <> $1 limit 1)
  union all
  (select 'turns' as seen_in, r.organization_id from turns r where r.organization_id <> $1 limit 1)
  union all
  (select 'users' as seen_in, r.organization_id from users r where r.organization_id <> $1 limit 1)
  union all
  (select 'sign_in_sessions' as seen_in, r.organization_id from sign_in_sessions r where r.organization_id <> $1 limit 1)
  union all
  (select 'totp_factors' as seen_in, r.organization_id from totp_factors r where r.organization_id <> $1 limit 1)
  union all
  (select 'resources' as seen_in, r.organization_id from resources r where r.organization_id <> $1 limit 1)
  union all
  (select 'resource_seats' as seen_in, r.organization_id from resource_seats r where r.organization_id <> $1 limit 1)
  union all
  (select 'clinics' as seen_in, r.organization_id from clinics r where r.organization_id <> $1 limit 1)
  union all
  (select 'opening_hours' as seen_in, r.organization_id from opening_hours r where r.organization_id <> $1 limit 1)
  union all
  (select 'rooms' as seen_in, r.organization_id from rooms r where r.organization_id <> $1 limit 1)
  union all
  (select 'closures' as seen_in, r.organization_id from closures r where r.organization_id <> $1 limit 1)
  union all
  (select 'practitioners' as seen_in, r.organization_id from practitioners r where r.organization_id <> $1 limit 1)
  union all
  (select 'practitioner_clinics' as seen_in, r.organization_id from practitioner_clinics r where r.organization_id <> $1 limit 1)
  union all
  (select 'practitioner_credentials' as seen_in, r.organization_id from practitioner_credentials r where r.organization_id <> $1 limit 1)
  union all
  (select 'working_hours' as seen_in, r.organization_id from working_hours r where r.organization_id <> $1 limit 1)
  union all
  (select 'hours_exceptions' as seen_in, r.organization_id from hours_exceptions r where r.organization_id <> $1 limit 1)
  union all
  (select 'time_off' as seen_in, r.organization_id from time_off r where r.organization_id <> $1 limit 1)
  union all
  (select 'patients' as seen_in, r.organization_id from patients r where r.organization_id <> $1 limit 1)
  union all
  (select 'patient_search_terms' as seen_in, r.organization_id from patient_search_terms r where r.organization_id <> $1 limit 1)
  union all
  (select 'contacts' as seen_in, r.organization_id from contacts r where r.organization_id <> $1 limit 1)
  union all
  (select 'contact_search_terms' as seen_in, r.organization_id from contact_search_terms r where r.organization_id <> $1 limit 1)
  union all
  (select 'patient_contacts' as seen_in, r.organization_id from patient_contacts r where r.organization_id <> $1 limit 1)
  union all
  (select 'patient_practitioners' as seen_in, r.organization_id from patient_practitioners r where r.organization_id <> $1 limit 1)
  union all
  (select 'patient_availability' as seen_in, r.organization_id from patient_availability r where r.organization_id <> $1 limit 1)
  union all
  (select 'blocks' as seen_in, r.organization_id from blocks r where r.organization_id <> $1 limit 1)
  union all
  (select 'block_attendees' as seen_in, r.organization_id from block_attendees r where r.organization_id <> $1 limit 1)
  union all
  (select 'services' as seen_in, r.organization_id from services r where r.organization_id <> $1 limit 1)
  union all
  (select 'payers' as seen_in, r.organization_id from payers r where r.organization_id <> $1 limit 1)
  union all
  (select 'coverages' as seen_in, r.organization_id from coverages r where r.organization_id <> $1 limit 1)
  union all
  (select 'authorizations' as seen_in, r.organization_id from authorizations r where r.organization_id <> $1 limit 1)
  union all
  (select 'authorization_entries' as seen_in, r.organization_id from authorization_entries r where r.organization_id <> $1 limit 1)
  union all
  (select 'unit_counts' as seen_in, r.organization_id from unit_counts r where r.organization_id <> $1 limit 1)
  union all
  (select 'room_grounds' as seen_in, r.organization_id from room_grounds r where r.organization_id <> $1 limit 1)
  union all
  (select 'series' as seen_in, r.organization_id from series r where r.organization_id <> $1 limit 1)
  union all
  (select 'groups' as seen_in, r.organization_id from groups r where r.organization_id <> $1 limit 1)
  union all
  (select 'appointments' as seen_in, r.organization_id from appointments r where r.organization_id <> $1 limit 1)
  union all
  (select 'appointment_lines' as seen_in, r.organization_id from appointment_lines r where r.organization_id <> $1 limit 1)
  union all
  (select 'holds' as seen_in, r.organization_id from holds r where r.organization_id <> $1 limit 1)
  union all
  (select 'claims' as seen_in, r.organization_id from claims r where r.organization_id <> $1 limit 1)
  union all
  (select 'batches' as seen_in, r.organization_id from batches r where r.organization_id <> $1 limit 1)
  union all
  (select 'events' as seen_in, r.organization_id from events r where r.organization_id <> $1 limit 1)
  union all
  (select 'audit' as seen_in, r.organization_id from audit r where r.organization_id <> $1 limit 1)
  union all
  (select 'denials' as seen_in, r.organization_id from denials r where r.organization_id <> $1 limit 1)
  union all
  (select 'idempotency_keys' as seen_in, r.organization_id from idempotency_keys r where r.organization_id <> $1 limit 1)
  union all
  (select 'policies' as seen_in, r.organization_id from policies r where r.organization_id <> $1 limit 1)
  union all
  (select 'policy_states' as seen_in, r.organization_id from policy_states r where r.organization_id <> $1 limit 1)
  union all
  (select 'room_plans' as seen_in, r.organization_id from room_plans r where r.organization_id <> $1 limit 1)
  union all
  (select 'break_glass_requests' as seen_in, r.organization_id from break_glass_requests r where r.organization_id <> $1 limit 1)
  union all
  (select 'break_glass_uses' as seen_in, r.organization_id from break_glass_uses r where r.organization_id <> $1 limit 1)
  union all
  (select 'sessions' as seen_in, r.organization_id from sessions r where r.organization_id <> $1 limit 1)
  union all
  (select 'session_versions' as seen_in, r.organization_id from session_versions r where r.organization_id <> $1 limit 1)
) s
where not exists (select from pg_roles r where r.rolname = current_user and (r.rolsuper or r.rolbypassrls))
