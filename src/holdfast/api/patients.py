"""`/patients`: found as their name is typed; what is sealed of them leaves storage opened, and only here and in `/contacts`."""

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from holdfast.api import lists, nouns
from holdfast.api.contacts import PatientContact
from holdfast.api.door import Answer, Ask
from holdfast.api.fields import Hours, Language, PersonName, Search, Words
from holdfast.api.lists import Paged
from holdfast.api.wire import Id
from holdfast.commands import patients, save
from holdfast.commands.names import range_of
from holdfast.commands.patients import PATIENT

_Practitioners = Annotated[list[Id], Meta(max_length=50)]
_Alerts = Annotated[str, Meta(min_length=1, max_length=10_000)]


class Coverage(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who pays for a patient between two dates inclusive; an open end is null. `rank`: 1 is asked first; on any date
    there is at most one of each rank."""

    payer_id: Id
    member_number: Annotated[str, Meta(max_length=100)] = ""
    rank: Annotated[int, Meta(ge=1, le=10)] = 1
    valid_from: date | None = None
    valid_to: date | None = None


class NewPatient(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`alerts`: what whoever books must know. `availability`: when they can come, in the clinic's own
    time; at any time when empty."""

    given_name: PersonName
    family_name: PersonName
    birth_date: date
    needs: Words = []
    contacts: Annotated[list[PatientContact], Meta(max_length=20)] = []
    language: Language | None = None
    needs_interpreter: bool = False
    excluded_practitioner_ids: _Practitioners = []
    preferred_practitioner_ids: _Practitioners = []
    availability: Annotated[list[Hours], Meta(max_length=50)] = []
    coverages: Annotated[list[Coverage], Meta(max_length=20)] = []
    alerts: _Alerts | None = None


class Patient(NewPatient, kw_only=True):
    id: str
    is_active: bool
    version: int
    created_at: str
    updated_at: str


class Suspect(msgspec.Struct, kw_only=True):
    """Someone who may be the same person."""

    id: str
    given_name: str
    family_name: str
    birth_date: str | None
    is_active: bool


class CreatedPatient(Patient, kw_only=True):
    possible_duplicates: list[Suspect]


class PatientQuery(Paged, kw_only=True):
    """`q`: the beginning of a name, family or given name first, in any case and without accents.
    `contact_id`: the patients of that contact."""

    is_active: bool | None = None
    birth_date: date | None = None
    contact_id: Id | None = None
    q: Search | None = None


async def create(ask: Ask[Any, NewPatient]) -> Answer:
    return Answer.of(await patients.create_patient(ask.house, ask.asked, save.given(ask.body)))


async def change(ask: Ask[Any, Any]) -> Answer:
    return Answer.of(await patients.change_patient(ask.house, ask.asked, ask.id(), save.given(ask.body)))


async def listing(ask: Ask[PatientQuery, Any]) -> Answer:
    query = ask.query
    values = (query.is_active, query.birth_date, query.contact_id)
    if query.q and query.q.strip():
        return await lists.opened(ask, PATIENT.shown, "patients_search_page", *values, *range_of(query.q))
    return await lists.opened(ask, PATIENT.shown, "patients_page", *values)


SHAPES = nouns.Shapes(
    "/api/v1/patients", "people", NewPatient, nouns.changes(NewPatient, "PatientChange"), Patient, PatientQuery,
    "patients.read", "patients.write",
)  # fmt: skip

ROUTES = nouns.routes(
    PATIENT, SHAPES, create=create, change=change, created_answer=CreatedPatient, listing=listing
)
