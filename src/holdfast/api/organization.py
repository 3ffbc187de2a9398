"""The organization itself: everybody signed in may read it, admins change it."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from holdfast import slot
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.fields import ReasonCode
from holdfast.commands.organization import Organization, change_organization, read_organization
from holdfast.errors import FieldError, Invalid


class OrganizationSettingsChanges(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Settings to change; what is left out stays."""

    late_cancellation_minutes: (
        Annotated[
            int,
            msgspec.Meta(
                ge=0, le=30 * 24 * 60, description="A cancellation with less notice than this is late."
            ),
        ]
        | UnsetType
    ) = UNSET
    cancellation_reason_codes: (
        Annotated[
            list[ReasonCode],
            msgspec.Meta(
                max_length=100, description="Why visits are cancelled. When there are any, no other is taken."
            ),
        ]
        | UnsetType
    ) = UNSET
    expiry_alert_days: (
        Annotated[
            int,
            msgspec.Meta(
                ge=1, le=366, description="From how long before its end a work list names what expires."
            ),
        ]
        | UnsetType
    ) = UNSET
    make_up_days: (
        Annotated[
            int,
            msgspec.Meta(
                ge=1, le=366, description="For how long after it a visit that did not take place can be owed."
            ),
        ]
        | UnsetType
    ) = UNSET
    require_totp_for_admins: (
        Annotated[
            bool,
            msgspec.Meta(
                description="An admin without a second factor may only call /auth until one is enrolled."
            ),
        ]
        | UnsetType
    ) = UNSET


class OrganizationChanges(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to change; what is left out stays."""

    name: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=200, examples=["Juniper Therapy Group"])]
        | UnsetType
    ) = UNSET
    time_zone: Annotated[str, msgspec.Meta(max_length=64, examples=["America/Phoenix"])] | UnsetType = UNSET
    patient_label: Literal["patient", "client", "learner"] | UnsetType = UNSET
    settings: OrganizationSettingsChanges | UnsetType = UNSET


async def read(ask: Ask[NoFields, None]) -> Answer:
    organization, seq = await read_organization(ask.house, ask.actor.organization_id)
    return Answer(organization, version=organization.version, seq=seq)


async def patch(ask: Ask[NoFields, OrganizationChanges]) -> Answer:
    changes = _given(ask.body)
    if ask.body.name is not UNSET:
        changes["name"] = _named(str(ask.body.name))
    if ask.body.time_zone is not UNSET:
        changes["time_zone"] = _zone(str(ask.body.time_zone))
    if isinstance(ask.body.settings, OrganizationSettingsChanges):
        changes["settings"] = _given(ask.body.settings)
    return Answer.of(await change_organization(ask.house, ask.asked, changes))


def _given(body: msgspec.Struct) -> dict[str, object]:
    return {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}


def _named(name: str) -> str:
    if not name.strip():
        raise Invalid(FieldError("name", "invalid_value", "must not be blank"))
    return name.strip()


def _zone(name: str) -> str:
    try:
        slot.zone(name)
    except ValueError as error:
        raise Invalid(FieldError("time_zone", "invalid_value", str(error))) from None
    return name


ROUTES = (
    Route(
        "GET", "/api/v1/organization", read, "", "Read the organization", answer=Organization, tag="identity"
    ),
    Route(
        "PATCH", "/api/v1/organization", patch, "settings.write", "Change the organization",
        body=OrganizationChanges, answer=Organization, refusals=("version_mismatch",), tag="identity",
    ),
)  # fmt: skip
