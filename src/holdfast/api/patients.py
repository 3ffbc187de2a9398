"""`/patients`: found as their name is typed; alerts leave storage opened, and only here."""

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from holdfast.api import lists, nouns
from holdfast.api.door import Answer, Ask
from holdfast.api.fields import PersonName, Search, Words
from holdfast.api.lists import Paged
from holdfast.commands import save
from holdfast.commands.patients import PATIENT, possible_duplicates, range_of

_Alerts = Annotated[str, Meta(min_length=1, max_length=10_000)]


class NewPatient(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    given_name: PersonName
    family_name: PersonName
    birth_date: date
    needs: Words = []
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
    """`q`: the beginning of a name, family or given name first, in any case and without accents."""

    is_active: bool | None = None
    birth_date: date | None = None
    q: Search | None = None


async def create(ask: Ask[Any, NewPatient]) -> Answer:
    return Answer.of(
        await save.create(ask.house, ask.asked, PATIENT, save.given(ask.body), possible_duplicates)
    )


async def listing(ask: Ask[PatientQuery, Any]) -> Answer:
    query, organization = ask.query, ask.actor.organization_id
    values: tuple[Any, ...]
    name, values = "patients_page", (query.is_active, query.birth_date)
    if query.q and query.q.strip():
        name, values = "patients_search_page", (*values, *range_of(query.q))
    async with ask.house.database.reading(organization) as connection:
        seal = await ask.house.seal(connection, organization)
        items, counted, seq = await lists.fetched(ask, connection, name, *values)
    documents = [PATIENT.shown(msgspec.json.decode(item), seal) for item in items]
    return Answer(lists.page(ask, query, documents, counted), seq=seq)


SHAPES = nouns.Shapes(
    "/api/v1/patients", "people", NewPatient, nouns.changes(NewPatient, "PatientChange"), Patient, PatientQuery,
    "patients.read", "patients.write",
)  # fmt: skip

ROUTES = nouns.routes(PATIENT, SHAPES, create=create, created_answer=CreatedPatient, listing=listing)
