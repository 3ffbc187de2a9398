"""`/clinics`: where visits happen, when the doors are open, and when they are not."""

from typing import Annotated

import msgspec
from msgspec import Meta

from holdfast.api import absences, nouns
from holdfast.api.fields import Hours, Name, Search, Zone
from holdfast.api.lists import Paged
from holdfast.commands.clinics import CLINIC


class NewClinic(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: Name
    time_zone: Zone
    opening_hours: Annotated[list[Hours], Meta(max_length=70)] = []
    allow_unassigned: bool = False


class Clinic(NewClinic, kw_only=True):
    id: str
    is_active: bool
    version: int
    created_at: str
    updated_at: str


class ClinicQuery(Paged, kw_only=True):
    is_active: bool | None = None
    q: Search | None = None


SHAPES = nouns.Shapes(
    "/api/v1/clinics", "places", NewClinic, nouns.changes(NewClinic, "ClinicChange"), Clinic, ClinicQuery,
    "places.read", "places.write",
)  # fmt: skip

ROUTES = (*nouns.routes(CLINIC, SHAPES), *absences.CLINIC_ROUTES)
