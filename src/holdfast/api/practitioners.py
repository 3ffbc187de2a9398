"""`/practitioners`: who works where and when, with which credentials, and when they are away."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from holdfast.api import absences, nouns
from holdfast.api.door import Answer, Ask
from holdfast.api.fields import (
    Code,
    Credential,
    DatedHours,
    HoursException,
    Language,
    Minutes,
    Name,
    Search,
    Seats,
)
from holdfast.api.lists import Paged
from holdfast.api.wire import Id
from holdfast.commands import save
from holdfast.commands.practitioners import PRACTITIONER, with_clinics


class NewPractitioner(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`clinic_ids` are those of the hours when left out. `languages` they work in; none recorded says nothing."""

    name: Name
    clinic_ids: Annotated[list[Id], Meta(max_length=100)] | UnsetType = UNSET
    credentials: Annotated[list[Credential], Meta(max_length=50)] = []
    buffer_minutes: Minutes = 0
    concurrent_visits_max: Seats = 1
    working_hours: Annotated[list[DatedHours], Meta(max_length=200)] = []
    hours_exceptions: Annotated[list[HoursException], Meta(max_length=400)] = []
    languages: Annotated[list[Language], Meta(max_length=20)] = []


class Practitioner(NewPractitioner, kw_only=True):
    id: str
    clinic_ids: list[Id]
    is_active: bool
    version: int
    created_at: str
    updated_at: str


class PractitionerQuery(Paged, kw_only=True):
    is_active: bool | None = None
    q: Search | None = None
    clinic_id: Id | None = None
    credential: Code | None = None


async def create(ask: Ask[Any, NewPractitioner]) -> Answer:
    fields = with_clinics(save.given(ask.body))
    return Answer.of(await save.create(ask.house, ask.asked, PRACTITIONER, fields))


SHAPES = nouns.Shapes(
    "/api/v1/practitioners", "people", NewPractitioner, nouns.changes(NewPractitioner, "PractitionerChange"),
    Practitioner, PractitionerQuery, "places.read", "places.write",
)  # fmt: skip

ROUTES = (*nouns.routes(PRACTITIONER, SHAPES, create=create), *absences.PRACTITIONER_ROUTES)
