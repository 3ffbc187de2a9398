"""What can be refused and how it is said. The core raises codes; only `api/problems.py` knows HTTP statuses.

CONSTRAINTS maps every constraint's name to a code and a sentence; a test compares it with the catalog both ways.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

# Refusals of a booking, move or hold, in the order in which the first becomes the answer's code.
REFUSALS: Final = (
    "clinic_closed",
    "practitioner_unavailable",
    "start_in_past",
    "inactive_resource",
    "practitioner_conflict",
    "patient_conflict",
    "caregiver_conflict",
    "group_full",
    "room_conflict",
    "room_unavailable",
    "no_room_available",
    "rule_violation",
    "concurrent_not_allowed",
    "credential_missing",
    "credential_expired",
    "authorization_missing",
    "authorization_mismatch",
    "authorization_inactive",
    "authorization_expired",
    "insufficient_units",
    "cap_exceeded",
)


class Reason(msgspec.Struct, frozen=True):
    """One reason of a refusal: its code, a sentence, and members that belong to the code."""

    code: str
    detail: str
    members: dict[str, Any] = {}


class Refused(Exception):
    """A request that is understood and not granted. `reasons` holds every reason, the first in order first.

    `conflicts`: the claims in the way. `members`: further members of the answer.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        reasons: tuple[Reason, ...] = (),
        conflicts: tuple[dict[str, Any], ...] = (),
        **members: Any,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.reasons = reasons
        self.conflicts = conflicts
        self.members = members


class FieldError(msgspec.Struct, frozen=True):
    """One field that cannot be accepted: where, a stable code, a sentence."""

    field: str
    code: str
    message: str


class Invalid(Exception):
    """A request that cannot be understood; names every field that is wrong."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors

    def under(self, prefix: str) -> "Invalid":
        """The same of a part of the request, whose place `prefix` names."""
        return Invalid(*(FieldError(prefix + each.field, each.code, each.message) for each in self.errors))


class NotFound(Exception):
    """There is no such thing for this caller; the same for another organization's id as for a random one."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field

    def under(self, prefix: str) -> "NotFound":
        """The same of a part of the request, whose place `prefix` names."""
        return NotFound(prefix + self.field)


OverloadCause = Literal[
    "lane_full",
    "deadline_in_lane",
    "turn",
    "no_connection",
    "connection_lost",
    "sign_ins",
    "search",
    "room_plan",
    "listeners",
    "address",
    "stopping",
]
"""What was not to be had in time; counted for the operator, told to no caller."""


class Overloaded(Exception):
    """Refused before it was sent: a full queue or a deadline that cannot be met. Nothing has happened."""

    def __init__(self, cause: OverloadCause) -> None:
        super().__init__(cause)
        self.cause = cause


class OutcomeUnknown(Exception):
    """The connection was lost around COMMIT and the deadline passed before the outcome could be looked up."""


class Constraint(msgspec.Struct, frozen=True):
    """What breaking a constraint is called. `field` is the request's field, where there is one."""

    code: str
    sentence: str
    field: str | None = None


def _many(code: str, sentence: str, *names: str) -> dict[str, Constraint]:
    return {name: Constraint(code, sentence) for name in names}


def _field(field: str, sentence: str, *names: str) -> dict[str, Constraint]:
    return {name: Constraint("invalid_request", sentence, field) for name in names}


def _reference(field: str, *names: str) -> dict[str, Constraint]:
    return {
        name: Constraint("not_found", "There is no such thing in this organization.", field) for name in names
    }


def _defect(*names: str) -> dict[str, Constraint]:
    """What no request can break unless a decision of ours was wrong: the law held, the caller learns nothing."""
    return {
        name: Constraint("internal_error", "Something went wrong here; it has been logged.") for name in names
    }


CONSTRAINTS: Final[Mapping[str, Constraint]] = MappingProxyType(
    {
        # The law.
        **_many("time_conflict", "This time is already claimed.", "claims_no_overlap", "claims_pkey"),
        **_many(
            "insufficient_units",
            "The authorization has not that many units left.",
            "authorizations_units_within_total",
        ),
        **_reference("practitioner_id", "users_practitioner_fkey"),
        **_reference("patient_id", "users_patient_fkey"),
        # One of a kind.
        "sessions_line_key": Constraint("already_exists", "This line has a session of this practitioner already.", "line_no"),
        "clinics_name_key": Constraint("already_exists", "A clinic of this name exists.", "name"),
        "rooms_number_key": Constraint("already_exists", "The clinic has a room of this number.", "number"),
        "payers_name_key": Constraint("already_exists", "A payer of this name exists.", "name"),
        "users_email_key": Constraint("already_exists", "This e-mail address signs in already.", "email"),
        "login_directory_pkey": Constraint("already_exists", "This e-mail address signs in already.", "email"),
        # What a row refers to.
        **_reference(
            "organization_id",
            "batches_organization_fkey", "clinics_organization_fkey", "denials_organization_fkey", "payers_organization_fkey", "policies_organization_fkey", "policy_states_organization_fkey", "resources_organization_fkey",
            "room_grounds_organization_fkey", "services_organization_fkey", "turns_organization_fkey", "users_organization_fkey",
        ),
        **_reference(
            "clinic_id",
            "appointments_clinic_fkey", "groups_clinic_fkey", "holds_clinic_fkey", "room_plans_clinic_fkey", "series_clinic_fkey", "closures_clinic_fkey", "hours_exceptions_clinic_fkey",
            "opening_hours_clinic_fkey", "rooms_clinic_fkey", "working_hours_clinic_fkey",
        ),
        **_reference("clinic_ids", "practitioner_clinics_clinic_fkey"),
        **_reference("room_id", "appointments_room_fkey", "blocks_room_fkey", "closures_room_fkey", "holds_room_fkey"),
        **_reference(
            "practitioner_id",
            "appointment_lines_practitioner_fkey", "groups_practitioner_fkey", "holds_practitioner_fkey", "hours_exceptions_practitioner_fkey",
            "patient_practitioners_practitioner_fkey", "practitioner_clinics_practitioner_fkey", "practitioner_credentials_practitioner_fkey",
            "sessions_practitioner_fkey", "time_off_practitioner_fkey", "working_hours_practitioner_fkey",
        ),
        **_reference(
            "patient_id",
            "appointments_patient_fkey", "holds_patient_fkey", "authorizations_patient_fkey", "coverages_patient_fkey",
            "patient_availability_patient_fkey", "patient_contacts_patient_fkey", "patient_practitioners_patient_fkey",
            "patient_search_terms_patient_fkey", "series_patient_fkey", "sessions_patient_fkey", "unit_counts_patient_fkey",
        ),
        **_reference("contact_id", "contact_search_terms_contact_fkey", "patient_contacts_contact_fkey", "users_contact_fkey"),
        **_reference("patient_id", "break_glass_requests_patient_fkey"),
        **_reference("practitioner_ids", "block_attendees_practitioner_fkey"),
        **_reference("block_id", "block_attendees_block_fkey", "claims_block_fkey", "groups_block_fkey"),
        **_reference("group_id", "appointments_group_fkey"),
        **_reference("service_id", "appointment_lines_service_fkey", "groups_service_fkey", "holds_service_fkey"),
        **_reference("payer_id", "authorizations_payer_fkey", "coverages_payer_fkey", "unit_counts_payer_fkey"),
        **_reference(
            "authorization_id", "appointment_lines_authorization_fkey", "authorization_entries_authorization_fkey"
        ),
        **_reference("replaces_appointment_id", "appointments_replaces_fkey"),
        **_reference("series_id", "appointments_series_fkey"),
        **_reference("appointment_id", "appointment_lines_appointment_fkey", "claims_appointment_fkey", "holds_appointment_fkey", "sessions_appointment_fkey"),
        **_reference("session_id", "session_versions_session_fkey"),
        **_reference("caregiver_id", "appointment_lines_caregiver_fkey"),
        **_reference("hold_id", "claims_hold_fkey"),
        **_reference("closure_id", "claims_closure_fkey"),
        **_reference("time_off_id", "claims_time_off_fkey"),
        **_reference("user_id", "contacts_consent_recorder_fkey", "sign_in_sessions_user_fkey", "totp_factors_user_fkey"),
        **_reference(
            "user_id", "break_glass_requests_approver_fkey", "break_glass_requests_ender_fkey", "break_glass_requests_user_fkey"
        ),
        **_reference("break_glass_id", "break_glass_uses_request_fkey"),
        # What a field may hold. The decoder says it first; these hold for every other door.
        **_field(
            "name", "Must have between 1 and 200 characters.",
            "clinics_name_length", "contacts_name_length", "organizations_name_length",
            "payers_name_length", "practitioners_name_length", "services_name_length",
        ),
        **_field("given_name", "Must have between 1 and 100 characters.", "patients_given_name_length"),
        **_field("family_name", "Must have between 1 and 100 characters.", "patients_family_name_length"),
        **_field("language", "Must be a language tag such as es or pt-BR.", "contacts_language_length"),
        **_field("channel", "Must be sms, email or phone.", "contacts_channel_known"),
        **_field("channel", "Needs the phone or e-mail that it is sent to.", "contacts_channel_reachable"),
        **_field("relationship", "There is no such relationship.", "patient_contacts_relationship_known"),
        **_field("coverages", "Two coverages of one rank must not hold on the same date.", "coverages_rank_once"),
        **_field("rank", "Must be between 1 and 10.", "coverages_rank_range"),
        **_field("member_number", "Must have at most 100 characters.", "coverages_member_number_length"),
        **_field("number", "Must have between 1 and 40 characters.", "rooms_number_length"),
        **_field("code", "Must have between 1 and 40 characters.", "services_code_length"),
        **_field("email", "Must be an e-mail address in lower case.", "login_directory_email_shape"),
        **_field("Idempotency-Key", "Must have between 1 and 255 characters.", "idempotency_keys_key_length"),
        **_field(
            "patient_label", "Must be patient, client or learner.", "organizations_patient_label_known"
        ),
        **_field("role", "There is no such role.", "users_role_known"),
        **_field("practitioner_id", "Belongs to a practitioner's account, and only there.", "users_practitioner_named"),
        **_field("patient_id", "Belongs to a patient's account, and only there.", "users_patient_named"),
        **_field(
            "weekday", "Must be between 0 (Monday) and 6.",
            "opening_hours_weekday_known", "patient_availability_weekday_known", "working_hours_weekday_known",
        ),
        **_field("week_start", "Must be between 0 (Monday) and 6.", "payers_week_start_known"),
        **_field(
            "end", "Must come after the start.",
            "closures_not_reversed", "hours_exceptions_not_reversed", "opening_hours_not_reversed",
            "patient_availability_not_reversed", "time_off_not_reversed", "working_hours_not_reversed",
        ),
        **_field("end", "Must be at most 366 days after the start.", "closures_length", "time_off_length"),
        **_field(
            "end", "Must be after the start and at most 24 hours later.",
            "appointments_length", "appointment_lines_length", "holds_length", "blocks_length",
        ),
        **_field("hours_exceptions", "Must have both times or neither.", "hours_exceptions_whole"),
        **_field(
            "valid_to", "Must not come before valid_from.",
            "coverages_not_reversed", "practitioner_credentials_not_reversed", "working_hours_dates_not_reversed",
        ),
        **_field("end_date", "Must not come before start_date.", "authorizations_dates_not_reversed"),
        **_field("kind", "Must be sick, holiday, training or other.", "time_off_kind_known"),
        **_field("kind", "Must be meeting, break, admin, training or travel.", "blocks_kind_known"),
        **_field("capacity", "Must be between 1 and 1000.", "rooms_capacity_positive", "services_capacity_positive"),
        **_field(
            "concurrent_visits_max", "Must be between 1 and 100.",
            "practitioners_concurrent_visits_range", "rooms_concurrent_visits_range",
        ),
        **_field("cleaning_minutes", "Must be between 0 and 120.", "rooms_cleaning_range"),
        **_field("buffer_minutes", "Must be between 0 and 120.", "practitioners_buffer_range"),
        **_field(
            "turnover_minutes", "Must be between 0 and 120.",
            "appointments_turnover_range", "services_turnover_range",
        ),
        "rooms_color_shape": Constraint("invalid_color", "Must be a colour such as #3366CC.", "color"),
        **_field("duration_minutes", "Must be between 1 and 1440.", "services_duration_range"),
        **_field("locations", "Must name one to five known locations.", "services_locations_known"),
        **_field("attendance", "Must be patient, caregiver, either or none.", "services_attendance_known"),
        **_field(
            "unit_basis", "Must be time, visit or day.",
            "authorizations_unit_basis_known", "services_unit_basis_known",
        ),
        **_field("unit_minutes", "Must be between 1 and 1440.", "services_unit_minutes_range"),
        **_field("rounding", "There is no such rounding.", "payers_rounding_known"),
        **_field("rounding_scope", "Must be session or day.", "payers_rounding_scope_known"),
        **_field("concurrent_policy", "Must be deny, nonbillable or allow.", "payers_concurrent_policy_known"),
        **_field("cap_policy", "Must be deny, warn or allow.", "payers_cap_policy_known"),
        **_field("over_units", "Must be deny, warn or allow.", "payers_over_units_known"),
        **_field("service_codes", "Must name between 1 and 50 codes.", "authorizations_codes_named"),
        **_field("total_units", "Must not be negative.", "authorizations_units_not_negative"),
        **_field("status", "Must be approved, pending or cancelled.", "authorizations_approval_known"),
        **_field("scope", "Must be organization, clinic, service or practitioner.", "policies_scope_known"),
        **_field("scope_id", "Belongs to every scope but the organization's.", "policies_scope_named"),
        **_field("location", "There is no such location.", "appointments_location_known", "groups_location_known"),
        **_field("members_max", "Must be between 1 and 100, and not below members_min.", "groups_members_range"),
        **_field("room_id", "A visit away from the clinic has no room.", "appointments_room_on_site"),
        **_field("cancelled_by", "There is no such party to a cancellation.", "appointments_cancelled_by_known"),
        **_field("lines", "A visit has at most 20 lines.", "appointment_lines_number"),
        **_field("minutes_actual", "Must be between 0 and 1440.", "appointment_lines_minutes_range", "session_versions_minutes_range"),
        **_field("lines", "Travel and buffer must be between 0 and 120 minutes.", "appointment_lines_tails_range"),
        **_field("minutes", "Must be 30, 60, 120, 240 or 480.", "break_glass_requests_minutes_known"),
        # Keys that we make, and what only we write.
        **_defect(
            "appointment_lines_pkey", "appointments_pkey", "audit_pkey", "authorization_entries_pkey",
            "authorizations_pkey", "batches_id_key", "batches_pkey", "block_attendees_pkey", "blocks_pkey",
            "break_glass_requests_approval_whole", "break_glass_requests_end_whole", "break_glass_requests_ended_as_known",
            "break_glass_requests_pkey", "break_glass_requests_two_people", "break_glass_uses_pkey",
            "clinics_pkey", "closures_pkey", "contact_search_terms_pkey", "contacts_consent_whole",
            "contacts_kind_fixed", "contacts_pkey", "coverages_pkey", "denials_pkey", "events_pkey", "hours_exceptions_pkey",
            "groups_kind_fixed", "groups_method_known", "groups_pkey", "groups_resource_fkey", "groups_tails_range",
            "idempotency_keys_pkey", "opening_hours_pkey", "organizations_pkey", "patient_availability_pkey",
            "patient_contacts_pkey", "patient_practitioners_pkey", "patient_practitioners_preference_known",
            "patient_search_terms_pkey", "patients_pkey", "payers_pkey", "policies_activation_whole",
            "policies_pkey", "policies_status_known", "policies_version_key", "policy_states_order", "policy_states_pkey",
            "policy_states_policy_fkey", "practitioner_clinics_pkey",
            "practitioner_credentials_pkey", "practitioners_pkey", "resource_seats_pkey", "resources_kind_key",
            "resources_pkey", "rooms_pkey", "services_pkey", "sign_in_sessions_pkey", "time_off_pkey",
            "room_grounds_pkey", "room_plans_applied_whole", "room_plans_kind_known", "room_plans_pkey", "room_plans_scores_within_bound",
            "series_dates_count", "series_pkey",
            "totp_factors_pkey", "turns_pkey", "unit_counts_not_negative", "unit_counts_pkey", "users_pkey", "working_hours_pkey", "claims_seat_fkey", "contacts_resource_fkey", "patients_resource_fkey",
            "practitioners_resource_fkey", "resource_seats_resource_fkey", "rooms_resource_fkey",
            "appointment_lines_funding_known", "appointment_lines_status_known", "appointment_lines_units_authorized",
            "appointment_lines_units_not_negative", "appointment_lines_units_used_range", "appointments_cancellation_whole",
            "appointments_method_known", "appointments_needs_action_known", "appointments_status_known",
            "authorization_entries_kind_known", "authorization_entries_units_sign",
            "authorizations_manual_within_scheduled", "batches_hash_length", "claims_expiry_of_holds",
            "claims_kind_known", "claims_kind_of_owner", "holds_end_whole", "holds_ended_as_known",
            "holds_expire_later", "holds_pkey", "claims_length", "claims_one_owner",
            "idempotency_keys_fingerprint_length", "patients_kind_fixed", "practitioners_kind_fixed",
            "resource_seats_contact_one", "resource_seats_number", "resource_seats_patient_one", "resources_kind_known", "rooms_kind_fixed",
            "session_versions_amended_for_a_reason", "session_versions_number_positive", "session_versions_pkey",
            "session_versions_unfunded_for_a_reason", "session_versions_units_not_negative", "sessions_draft_until_signed", "sessions_pkey",
            "sign_in_sessions_cookie_length", "sign_in_sessions_hash_length", "sign_in_sessions_one_secret",
            "sign_in_sessions_reason_known", "turns_directory_not_ahead",
        ),
    }
)  # fmt: skip


def constraint(name: str) -> Constraint | None:
    """The entry for a broken constraint. A shard or partition adds a suffix to its name, so the longest entry
    that begins the name counts."""
    while name and name not in CONSTRAINTS:
        name = name.rpartition("_")[0]
    return CONSTRAINTS.get(name)
