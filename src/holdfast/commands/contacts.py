"""A contact: a person the practice speaks to about patients, kept once however many patients they belong to."""

from collections.abc import Iterator, Sequence
from typing import Final

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands import names
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.commands.save import Document, Noun, add, altered, answered, read
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound
from holdfast.slot import moment
from holdfast.vault import Seal

_SEALED: Final = ("phone", "email")
_UNKNOWN: Final = ("phone", "email", "language", "channel", "consented_on")
LINKED: Final = ("contact_id", "relationship", "may_cancel", "receives_reminders")


def opened(stored: Document, contact: str, seal: Seal) -> Document:
    """What storage has of a contact, with phone and e-mail as they were given."""
    document = dict(stored)
    for field in _SEALED:
        sealed = document.pop(f"{field}_encrypted")
        document[field] = sealed and seal.open(bytes.fromhex(sealed), _context(field, contact)).decode()
    return document


def _shown(stored: Document, seal: Seal) -> Document:
    return opened(stored, stored["id"], seal)


def _stored(contact: Document, seal: Seal) -> Document:
    sealed = {
        f"{field}_hex": contact[field]
        and seal.seal(contact[field].encode(), _context(field, contact["id"])).hex()
        for field in _SEALED
    }
    terms = names.search_terms(contact["name"], "")
    return contact | sealed | {"search_name": names.folded(contact["name"]), "search_terms": terms}


def _context(field: str, contact: str) -> str:
    return f"contacts.{field}/{ids.canonical(contact)}"


def _faults(contact: Document) -> Iterator[FieldError]:
    needed = {"email": "email", "sms": "phone", "phone": "phone"}.get(contact["channel"])
    if needed is not None and contact[needed] is None:
        yield FieldError("channel", "invalid_value", f"needs {needed}")


CONTACT = Noun(
    "contact", "contacts", faults=_faults, shown=_shown, stored=_stored, in_directory=False,
    private=frozenset({"name", *_UNKNOWN, "consent_recorded_by"}),
)  # fmt: skip


async def create_contact(house: House, asked: Asked, fields: Document) -> Answered:
    """A new contact, of no patient yet."""

    async def work(turn: Turn) -> Answered:
        return answered(201, await added(turn, asked, fields))

    return await change(house, asked, work)


async def change_contact(house: House, asked: Asked, subject: str, fields: Document) -> Answered:
    """Changes a contact for every patient they belong to, whose versions move with it: patients show contacts."""

    async def work(turn: Turn) -> Answered:
        before, _ = await read(turn.connection, turn.organization, CONTACT, turn.seal, subject)
        after = await altered(turn, asked, CONTACT, subject, _with_recorder(asked, fields, before))
        if after["version"] != before["version"]:
            await _move_patients(turn, asked, subject)
        return answered(200, after)

    return await change(house, asked, work)


async def linked(turn: Turn, asked: Asked, entries: Sequence[Document]) -> list[Document]:
    """A patient's contacts as the API shows them, from the entries of a request: `contact_id` names a contact who is
    there, an entry without it is a new one, who is made.

    Raises Invalid; NotFound for a contact of nobody.
    """
    known = [entry["contact_id"] for entry in entries if "contact_id" in entry]
    if len(set(known)) < len(known):
        raise Invalid(FieldError("contacts", "invalid_value", "names a contact twice"))
    shown = []
    for number, entry in enumerate(entries):
        person = {name: value for name, value in entry.items() if name not in LINKED}
        where = f"contacts[{number}]"
        if "contact_id" in entry:
            contact = await _known(turn, entry["contact_id"], person, where)
        else:
            contact = await _new(turn, asked, person, where)
        shown_of = {name: contact[name] for name in ("name", *_UNKNOWN)}
        shown.append(entry | shown_of | {"contact_id": contact["id"]})
    return shown


async def _known(turn: Turn, subject: str, person: Document, where: str) -> Document:
    """What an entry repeats of a contact must be so: a patient's page is no place to change somebody's siblings'."""
    try:
        contact, _ = await read(turn.connection, turn.organization, CONTACT, turn.seal, subject)
    except NotFound:
        raise NotFound("contact_id") from None
    faults = [
        FieldError(f"{where}.{name}", "invalid_value", "is changed at /contacts, for all their patients")
        for name, value in person.items()
        if contact[name] != value
    ]
    if not contact["is_active"]:
        faults.append(FieldError(f"{where}.contact_id", "invalid_value", "is not active"))
    if faults:
        raise Invalid(*faults)
    return contact


async def _new(turn: Turn, asked: Asked, person: Document, where: str) -> Document:
    if "name" not in person:
        raise Invalid(FieldError(f"{where}.name", "missing", "is required, or contact_id"))
    try:
        return await added(turn, asked, person)
    except Invalid as invalid:
        raise Invalid(
            *(FieldError(f"{where}.{each.field}", each.code, each.message) for each in invalid.errors)
        ) from None


async def added(turn: Turn, asked: Asked, fields: Document, subject: str | None = None) -> Document:
    """A new contact inside an open turn; `subject` chooses its id. Raises Invalid."""
    person = dict.fromkeys(_UNKNOWN) | {"consent_recorded_by": None}
    return await add(turn, asked, CONTACT, person | _with_recorder(asked, fields, person), subject)


def _with_recorder(asked: Asked, fields: Document, before: Document) -> Document:
    """Who says that there is consent, or that there is none any more, is who recorded it."""
    consented = fields.get("consented_on", before["consented_on"])
    if consented == before["consented_on"]:
        return fields
    return fields | {"consent_recorded_by": None if consented is None else asked.actor.user_id}


async def _move_patients(turn: Turn, asked: Asked, subject: str) -> None:
    rows = await turn.connection.fetch(
        statement("contact_moves_patients"), turn.organization, subject, moment(turn.now)
    )
    for row in rows:
        patient = str(row["id"])
        turn.tell("patient.changed", {**row, "id": patient})
        turn.note(asked, "patient.changed", "patient", patient, fields=["contacts", "updated_at", "version"])
