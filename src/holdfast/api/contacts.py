"""`/contacts`: parents, guardians and others of patients. Siblings share one; what a contact is to each patient and
may do for that one stands in the patient's own `contacts`. A guardian's login sees nobody's contacts."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from holdfast.api import lists, nouns
from holdfast.api.door import Answer, Ask
from holdfast.api.fields import Language, Name, Search
from holdfast.api.lists import Paged
from holdfast.api.wire import Id
from holdfast.commands import contacts, save
from holdfast.commands.contacts import CONTACT
from holdfast.commands.names import range_of

_Phone = Annotated[str, Meta(
    min_length=3, max_length=40, pattern=r"^[+(]?[0-9][0-9 ()./x-]*(?!\n)$", examples=["+1 602 555 0142"],
)]  # fmt: skip
_Email = Annotated[str, Meta(
    min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+(?!\n)$", examples=["rosa@mail.example"],
)]  # fmt: skip
_Channel = Literal["sms", "email", "phone"]
_Relationship = Literal[
    "parent", "step_parent", "foster_parent", "grandparent", "guardian", "spouse", "partner", "sibling", "child",
    "relative", "caregiver", "case_worker", "teacher", "other",
]  # fmt: skip


class NewContact(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`channel`: how they want to be reached, for which there must be a phone or e-mail. `consented_on`: the day on
    which they agreed to that; who recorded it is kept."""

    name: Name
    phone: _Phone | None = None
    email: _Email | None = None
    language: Language | None = None
    channel: _Channel | None = None
    consented_on: date | None = None


class Contact(NewContact, kw_only=True):
    id: str
    consent_recorded_by: str | None
    is_active: bool
    version: int
    created_at: str
    updated_at: str


class ContactQuery(Paged, kw_only=True):
    """`q`: the beginning of any of their names, in any case and without accents."""

    is_active: bool | None = None
    q: Search | None = None


class PatientContact(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`contact_id` names a contact who is there (a sibling's); without it this is a new one, and `name` is required.
    Answers have everything. What a contact is called and how they are reached is changed at `/contacts/{id}`."""

    contact_id: Id | UnsetType = UNSET
    relationship: _Relationship
    may_cancel: bool = False
    receives_reminders: bool = False
    name: Name | UnsetType = UNSET
    phone: _Phone | UnsetType | None = UNSET
    email: _Email | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    channel: _Channel | UnsetType | None = UNSET
    consented_on: date | UnsetType | None = UNSET


async def create(ask: Ask[Any, NewContact]) -> Answer:
    return Answer.of(await contacts.create_contact(ask.house, ask.asked, save.given(ask.body)))


async def change(ask: Ask[Any, Any]) -> Answer:
    return Answer.of(await contacts.change_contact(ask.house, ask.asked, ask.id(), save.given(ask.body)))


async def listing(ask: Ask[ContactQuery, Any]) -> Answer:
    query = ask.query
    if query.q and query.q.strip():
        return await lists.opened(
            ask, CONTACT.shown, "contacts_search_page", query.is_active, *range_of(query.q)
        )
    return await lists.opened(ask, CONTACT.shown, "contacts_page", query.is_active)


SHAPES = nouns.Shapes(
    "/api/v1/contacts", "people", NewContact, nouns.changes(NewContact, "ContactChange"), Contact, ContactQuery,
    "patients.read", "patients.write",
)  # fmt: skip

ROUTES = nouns.routes(CONTACT, SHAPES, create=create, change=change, listing=listing)
