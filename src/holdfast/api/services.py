"""`/services`: what is given, where, with whom, in which rooms, and how it is counted."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from holdfast.api import nouns
from holdfast.api.fields import Code, Codes, Minutes, Name, People, Search, UnitBasis, Words
from holdfast.api.lists import Paged
from holdfast.commands.services import SERVICE

Location = Literal["on_site", "home", "school", "community", "telehealth"]
_DayMinutes = Annotated[int, Meta(ge=1, le=1440)]


class NewService(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`capacity`: how many people the room must hold; no `room_types`: any type suits; of
    `required_credentials` one is enough. `shares_practitioner`: a practitioner who may have several visits at once may
    have this one beside another without a reason."""

    name: Name
    code: Code
    duration_minutes: _DayMinutes
    locations: Annotated[list[Location], Meta(min_length=1, max_length=5)] = msgspec.field(
        default_factory=lambda: list[Location](("on_site",))
    )
    attendance: Literal["patient", "caregiver", "either", "none"] = "patient"
    room_types: Words = []
    equipment: Words = []
    capacity: People = 1
    required_credentials: Codes = []
    turnover_minutes: Minutes | None = None
    unit_basis: UnitBasis = "time"
    unit_minutes: _DayMinutes = 15
    authorization_required: bool = False
    shares_practitioner: bool = False


class Service(NewService, kw_only=True):
    """`location`: the first of the locations, where the service is given unless a booking says otherwise."""

    id: str
    location: Location
    is_active: bool
    version: int
    created_at: str
    updated_at: str


class ServiceQuery(Paged, kw_only=True):
    is_active: bool | None = None
    q: Search | None = None
    code: Code | None = None


SHAPES = nouns.Shapes(
    "/api/v1/services", "services", NewService, nouns.changes(NewService, "ServiceChange"), Service, ServiceQuery,
    "places.read", "places.write",
)  # fmt: skip

ROUTES = nouns.routes(SERVICE, SHAPES)
