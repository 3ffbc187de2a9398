-- No row refers to another organization's row, nor to none: each reference, by the name of its constraint (or of its
-- column where there is none), is looked up among the organization's own rows.
select 'turns_organization_fkey' as reference, r.organization_id::text as refers_to
from turns r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'users_organization_fkey', r.organization_id::text
from users r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'sign_in_sessions_user_fkey', r.user_id::text
from sign_in_sessions r
where r.organization_id = $1 and not exists (select from users t where t.organization_id = $1 and t.id = r.user_id)
union all
select 'totp_factors_user_fkey', r.user_id::text
from totp_factors r
where r.organization_id = $1 and not exists (select from users t where t.organization_id = $1 and t.id = r.user_id)
union all
select 'resources_organization_fkey', r.organization_id::text
from resources r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'room_grounds_organization_fkey', r.organization_id::text
from room_grounds r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'unit_counts_patient_fkey', r.patient_id::text
from unit_counts r
where r.organization_id = $1 and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'unit_counts_payer_fkey', r.payer_id::text
from unit_counts r
where r.organization_id = $1 and not exists (select from payers t where t.organization_id = $1 and t.id = r.payer_id)
union all
select 'resource_seats_resource_fkey', r.resource_id::text
from resource_seats r
where r.organization_id = $1
  and not exists (select from resources t where t.organization_id = $1 and t.id = r.resource_id and t.kind = r.kind)
union all
select 'clinics_organization_fkey', r.organization_id::text
from clinics r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'opening_hours_clinic_fkey', r.clinic_id::text
from opening_hours r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'rooms_resource_fkey', r.id::text
from rooms r
where r.organization_id = $1
  and not exists (select from resources t where t.organization_id = $1 and t.id = r.id and t.kind = r.kind)
union all
select 'rooms_clinic_fkey', r.clinic_id::text
from rooms r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'closures_clinic_fkey', r.clinic_id::text
from closures r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'closures_room_fkey', r.room_id::text
from closures r
where r.organization_id = $1 and r.room_id is not null
  and not exists (select from rooms t where t.organization_id = $1 and t.id = r.room_id)
union all
select 'practitioners_resource_fkey', r.id::text
from practitioners r
where r.organization_id = $1
  and not exists (select from resources t where t.organization_id = $1 and t.id = r.id and t.kind = r.kind)
union all
select 'practitioner_clinics_practitioner_fkey', r.practitioner_id::text
from practitioner_clinics r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'practitioner_clinics_clinic_fkey', r.clinic_id::text
from practitioner_clinics r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'practitioner_credentials_practitioner_fkey', r.practitioner_id::text
from practitioner_credentials r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'working_hours_practitioner_fkey', r.practitioner_id::text
from working_hours r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'working_hours_clinic_fkey', r.clinic_id::text
from working_hours r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'hours_exceptions_practitioner_fkey', r.practitioner_id::text
from hours_exceptions r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'hours_exceptions_clinic_fkey', r.clinic_id::text
from hours_exceptions r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'time_off_practitioner_fkey', r.practitioner_id::text
from time_off r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'patients_resource_fkey', r.id::text
from patients r
where r.organization_id = $1
  and not exists (select from resources t where t.organization_id = $1 and t.id = r.id and t.kind = r.kind)
union all
select 'contacts_resource_fkey', r.id::text
from contacts r
where r.organization_id = $1
  and not exists (select from resources t where t.organization_id = $1 and t.id = r.id and t.kind = r.kind)
union all
select 'patient_search_terms_patient_fkey', r.patient_id::text
from patient_search_terms r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'users_practitioner_fkey', r.practitioner_id::text
from users r
where r.organization_id = $1 and r.practitioner_id is not null
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'users_contact_fkey', r.contact_id::text
from users r
where r.organization_id = $1 and r.contact_id is not null
  and not exists (select from contacts t where t.organization_id = $1 and t.id = r.contact_id)
union all
select 'users_patient_fkey', r.patient_id::text
from users r
where r.organization_id = $1 and r.patient_id is not null
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'services_organization_fkey', r.organization_id::text
from services r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'payers_organization_fkey', r.organization_id::text
from payers r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'authorizations_patient_fkey', r.patient_id::text
from authorizations r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'authorizations_payer_fkey', r.payer_id::text
from authorizations r
where r.organization_id = $1
  and not exists (select from payers t where t.organization_id = $1 and t.id = r.payer_id)
union all
select 'authorization_entries_authorization_fkey', r.authorization_id::text
from authorization_entries r
where r.organization_id = $1
  and not exists (select from authorizations t where t.organization_id = $1 and t.id = r.authorization_id)
union all
select 'appointments_clinic_fkey', r.clinic_id::text
from appointments r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'appointments_patient_fkey', r.patient_id::text
from appointments r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'appointments_room_fkey', r.room_id::text
from appointments r
where r.organization_id = $1 and r.room_id is not null
  and not exists (select from rooms t where t.organization_id = $1 and t.id = r.room_id)
union all
select 'appointments_replaces_fkey', r.replaces_appointment_id::text
from appointments r
where r.organization_id = $1 and r.replaces_appointment_id is not null
  and not exists (select from appointments t where t.organization_id = $1 and t.id = r.replaces_appointment_id)
union all
select 'appointment_lines_appointment_fkey', r.appointment_id::text
from appointment_lines r
where r.organization_id = $1
  and not exists (select from appointments t where t.organization_id = $1 and t.id = r.appointment_id)
union all
select 'appointment_lines_practitioner_fkey', r.practitioner_id::text
from appointment_lines r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'appointment_lines_service_fkey', r.service_id::text
from appointment_lines r
where r.organization_id = $1
  and not exists (select from services t where t.organization_id = $1 and t.id = r.service_id)
union all
select 'appointment_lines_authorization_fkey', r.authorization_id::text
from appointment_lines r
where r.organization_id = $1 and r.authorization_id is not null
  and not exists (select from authorizations t where t.organization_id = $1 and t.id = r.authorization_id)
union all
select 'appointment_lines_caregiver_fkey', r.caregiver_id::text
from appointment_lines r
where r.organization_id = $1 and r.caregiver_id is not null
  and not exists (select from contacts t where t.organization_id = $1 and t.id = r.caregiver_id)
union all
select 'holds_clinic_fkey', r.clinic_id::text
from holds r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'holds_patient_fkey', r.patient_id::text
from holds r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'holds_practitioner_fkey', r.practitioner_id::text
from holds r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'holds_service_fkey', r.service_id::text
from holds r
where r.organization_id = $1
  and not exists (select from services t where t.organization_id = $1 and t.id = r.service_id)
union all
select 'holds_room_fkey', r.room_id::text
from holds r
where r.organization_id = $1 and r.room_id is not null
  and not exists (select from rooms t where t.organization_id = $1 and t.id = r.room_id)
union all
select 'holds_appointment_fkey', r.appointment_id::text
from holds r
where r.organization_id = $1 and r.appointment_id is not null
  and not exists (select from appointments t where t.organization_id = $1 and t.id = r.appointment_id)
union all
select 'claims_hold_fkey', r.hold_id::text
from claims r
where r.organization_id = $1 and r.hold_id is not null
  and not exists (select from holds t where t.organization_id = $1 and t.id = r.hold_id)
union all
select 'claims_seat_fkey', r.resource_id::text
from claims r
where r.organization_id = $1
  and not exists (select from resource_seats t where t.organization_id = $1 and t.resource_id = r.resource_id and t.seat = r.seat)
union all
select 'claims_appointment_fkey', r.appointment_id::text
from claims r
where r.organization_id = $1 and r.appointment_id is not null
  and not exists (select from appointments t where t.organization_id = $1 and t.id = r.appointment_id)
union all
select 'blocks_room_fkey', r.room_id::text
from blocks r
where r.organization_id = $1 and r.room_id is not null
  and not exists (select from rooms t where t.organization_id = $1 and t.id = r.room_id)
union all
select 'block_attendees_block_fkey', r.block_id::text
from block_attendees r
where r.organization_id = $1
  and not exists (select from blocks t where t.organization_id = $1 and t.id = r.block_id)
union all
select 'block_attendees_practitioner_fkey', r.practitioner_id::text
from block_attendees r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'claims_block_fkey', r.block_id::text
from claims r
where r.organization_id = $1 and r.block_id is not null
  and not exists (select from blocks t where t.organization_id = $1 and t.id = r.block_id)
union all
select 'claims_closure_fkey', r.closure_id::text
from claims r
where r.organization_id = $1 and r.closure_id is not null
  and not exists (select from closures t where t.organization_id = $1 and t.id = r.closure_id)
union all
select 'claims_time_off_fkey', r.time_off_id::text
from claims r
where r.organization_id = $1 and r.time_off_id is not null
  and not exists (select from time_off t where t.organization_id = $1 and t.id = r.time_off_id)
union all
select 'batches_organization_fkey', r.organization_id::text
from batches r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'denials_organization_fkey', r.organization_id::text
from denials r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'groups.created_by', r.created_by::text
from groups r
where r.organization_id = $1 and not exists (select from users t where t.organization_id = $1 and t.id = r.created_by)
union all
select 'appointments.created_by', r.created_by::text
from appointments r
where r.organization_id = $1 and r.created_by is not null
  and not exists (select from users t where t.organization_id = $1 and t.id = r.created_by)
union all
select 'authorization_entries.appointment_id', r.appointment_id::text
from authorization_entries r
where r.organization_id = $1 and r.appointment_id is not null
  and not exists (select from appointment_lines t where t.organization_id = $1 and t.appointment_id = r.appointment_id and t.line_no = r.line_no)
union all
select 'authorization_entries.actor_id', r.actor_id::text
from authorization_entries r
where r.organization_id = $1 and r.actor_id is not null
  and not exists (select from users t where t.organization_id = $1 and t.id = r.actor_id)
union all
select 'idempotency_keys.user_id', r.user_id::text
from idempotency_keys r
where r.organization_id = $1 and not exists (select from users t where t.organization_id = $1 and t.id = r.user_id)
union all
select 'contacts_consent_recorder_fkey', r.consent_recorded_by::text
from contacts r
where r.organization_id = $1 and r.consent_recorded_by is not null
  and not exists (select from users t where t.organization_id = $1 and t.id = r.consent_recorded_by)
union all
select 'contact_search_terms_contact_fkey', r.contact_id::text
from contact_search_terms r
where r.organization_id = $1
  and not exists (select from contacts t where t.organization_id = $1 and t.id = r.contact_id)
union all
select 'patient_contacts_patient_fkey', r.patient_id::text
from patient_contacts r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'patient_contacts_contact_fkey', r.contact_id::text
from patient_contacts r
where r.organization_id = $1
  and not exists (select from contacts t where t.organization_id = $1 and t.id = r.contact_id)
union all
select 'coverages_patient_fkey', r.patient_id::text
from coverages r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'coverages_payer_fkey', r.payer_id::text
from coverages r
where r.organization_id = $1
  and not exists (select from payers t where t.organization_id = $1 and t.id = r.payer_id)
union all
select 'patient_practitioners_patient_fkey', r.patient_id::text
from patient_practitioners r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'patient_practitioners_practitioner_fkey', r.practitioner_id::text
from patient_practitioners r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'patient_availability_patient_fkey', r.patient_id::text
from patient_availability r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'policies_organization_fkey', r.organization_id::text
from policies r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'policy_states_organization_fkey', r.organization_id::text
from policy_states r
where r.organization_id = $1 and not exists (select from organizations t where t.organization_id = $1)
union all
select 'policy_states_policy_fkey', r.activates::text
from policy_states r
where r.organization_id = $1 and r.activates is not null
  and not exists (select from policies t where t.organization_id = $1 and t.id = r.activates)
union all
select 'room_plans_clinic_fkey', r.clinic_id::text
from room_plans r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'break_glass_requests_user_fkey', r.user_id::text
from break_glass_requests r
where r.organization_id = $1
  and not exists (select from users t where t.organization_id = $1 and t.id = r.user_id)
union all
select 'break_glass_requests_patient_fkey', r.patient_id::text
from break_glass_requests r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'break_glass_requests_approver_fkey', r.approved_by::text
from break_glass_requests r
where r.organization_id = $1 and r.approved_by is not null
  and not exists (select from users t where t.organization_id = $1 and t.id = r.approved_by)
union all
select 'break_glass_requests_ender_fkey', r.ended_by::text
from break_glass_requests r
where r.organization_id = $1 and r.ended_by is not null
  and not exists (select from users t where t.organization_id = $1 and t.id = r.ended_by)
union all
select 'break_glass_uses_request_fkey', r.break_glass_id::text
from break_glass_uses r
where r.organization_id = $1
  and not exists (select from break_glass_requests t where t.organization_id = $1 and t.id = r.break_glass_id)
union all
select 'series_clinic_fkey', r.clinic_id::text
from series r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'series_patient_fkey', r.patient_id::text
from series r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'groups_resource_fkey', r.id::text
from groups r
where r.organization_id = $1
  and not exists (select from resources t where t.organization_id = $1 and t.id = r.id and t.kind = r.kind)
union all
select 'groups_block_fkey', r.id::text
from groups r
where r.organization_id = $1
  and not exists (select from blocks t where t.organization_id = $1 and t.id = r.id)
union all
select 'groups_clinic_fkey', r.clinic_id::text
from groups r
where r.organization_id = $1
  and not exists (select from clinics t where t.organization_id = $1 and t.id = r.clinic_id)
union all
select 'groups_service_fkey', r.service_id::text
from groups r
where r.organization_id = $1
  and not exists (select from services t where t.organization_id = $1 and t.id = r.service_id)
union all
select 'groups_practitioner_fkey', r.practitioner_id::text
from groups r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'appointments_group_fkey', r.group_id::text
from appointments r
where r.organization_id = $1 and r.group_id is not null
  and not exists (select from groups t where t.organization_id = $1 and t.id = r.group_id)
union all
select 'appointments_series_fkey', r.series_id::text
from appointments r
where r.organization_id = $1 and r.series_id is not null
  and not exists (select from series t where t.organization_id = $1 and t.id = r.series_id)
union all
select 'sessions_appointment_fkey', r.appointment_id::text
from sessions r
where r.organization_id = $1
  and not exists (select from appointments t where t.organization_id = $1 and t.id = r.appointment_id)
union all
select 'sessions_practitioner_fkey', r.practitioner_id::text
from sessions r
where r.organization_id = $1
  and not exists (select from practitioners t where t.organization_id = $1 and t.id = r.practitioner_id)
union all
select 'sessions_patient_fkey', r.patient_id::text
from sessions r
where r.organization_id = $1
  and not exists (select from patients t where t.organization_id = $1 and t.id = r.patient_id)
union all
select 'session_versions_session_fkey', r.session_id::text
from session_versions r
where r.organization_id = $1
  and not exists (select from sessions t where t.organization_id = $1 and t.id = r.session_id)
union all
select 'sessions.created_by', r.created_by::text
from sessions r
where r.organization_id = $1 and not exists (select from users t where t.organization_id = $1 and t.id = r.created_by)
union all
select 'session_versions.author_id', r.author_id::text
from session_versions r
where r.organization_id = $1 and not exists (select from users t where t.organization_id = $1 and t.id = r.author_id)
