"""What writing places, people, services and payers has in common: a noun is read as the document the API shows, the
request's fields are laid over it, the whole is checked and saved, and what storage then says is the answer and the
event. A noun's own file says only what is its own. Nothing here knows a single noun.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.slot import moment, rfc3339
from holdfast.vault import Seal

Document = dict[str, Any]
"""A noun as the API shows it: JSON values by field."""


def _nothing_wrong(_document: Document) -> Iterable[FieldError]:
    return ()


def _as_it_is(document: Document, _seal: Seal) -> Document:
    return document


@dataclass(frozen=True, slots=True)
class Noun:
    """How one noun is kept. Its statements are `<name>_get`, `<name>_save` and `<plural>_page`; its events
    `<name>.created` and `<name>.changed`."""

    name: str
    plural: str
    faults: Callable[[Document], Iterable[FieldError]] = _nothing_wrong
    """What is wrong with a whole document that the types of its fields cannot say."""
    shown: Callable[[Document, Seal], Document] = _as_it_is
    """From storage to the API."""
    stored: Callable[[Document, Seal], Document] = _as_it_is
    """From the API to storage."""
    private: frozenset[str] = frozenset()
    """Fields that tell of a person and therefore stay out of events."""
    in_directory: bool = True
    """Whether bookings decide on it by the directory, which is then out of date."""
    counted_by: frozenset[str] = frozenset()
    """Fields by which the units of visits are counted (`unit_counts`): when one changes they are counted anew."""
    is_resource: bool = False
    """Whether time is claimed on it: it has seats, as many as its `concurrent_visits_max` (else one)."""


def given(body: msgspec.Struct) -> Document:
    """The fields that a request's body carries, as JSON values; what was left UNSET is not there."""
    fields: Document = msgspec.to_builtins(body, enc_hook=_plain)
    return fields


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else rfc3339(value)


def answered(status: int, document: Document) -> Answered:
    return Answered(status=status, content=msgspec.json.encode(document), version=document.get("version"))


async def read(
    connection: Connection, organization: str, noun: Noun, seal: Seal, subject: str, *more: Any
) -> tuple[Document, int]:
    """A noun's document and the seq it is true at. `more` goes to its statement. Raises NotFound."""
    row = await connection.fetchrow(statement(f"{noun.name}_get"), organization, subject, *more)
    if row is None:
        raise NotFound("id")
    return noun.shown(msgspec.json.decode(row["document"]), seal), row["seq"]


async def add(turn: Turn, asked: Asked, noun: Noun, fields: Document, subject: str | None = None) -> Document:
    """Saves a new one inside an open turn; `subject` chooses its id. Any number may share a turn."""
    document = {"is_active": True, **fields, "id": subject or ids.new(), "version": 1}
    return await _save(turn, asked, noun, document, None)


async def create(
    house: House,
    asked: Asked,
    noun: Noun,
    fields: Document,
    also: Callable[[Turn, Document], Awaitable[Document]] | None = None,
) -> Answered:
    """A new one, in a turn of its own: 201. `also` adds members to the answer."""

    async def work(turn: Turn) -> Answered:
        saved = await add(turn, asked, noun, fields)
        return answered(201, saved | (await also(turn, saved) if also else {}))

    return await change(house, asked, work)


async def alter(house: House, asked: Asked, noun: Noun, subject: str, fields: Document) -> Answered:
    """Lays `fields` over what is there. What would change nothing has no effect and keeps the version.

    Raises NotFound; Refused (version_mismatch) when the caller believes in another version.
    """

    async def work(turn: Turn) -> Answered:
        return answered(200, await altered(turn, asked, noun, subject, fields))

    return await change(house, asked, work)


Check = Callable[[Document, Document], Awaitable[None]]
"""Given a document as it is and as it shall be; raises Refused."""


async def altered(
    turn: Turn, asked: Asked, noun: Noun, subject: str, fields: Document, check: Check | None = None
) -> Document:
    """`alter` inside an open turn; the document afterwards."""
    current, _ = await read(turn.connection, turn.organization, noun, turn.seal, subject)
    check_version(asked, current)
    wanted = current | fields
    if check is not None:
        await check(current, wanted)
    if wanted == current:
        return current
    return await _save(turn, asked, noun, wanted | {"version": current["version"] + 1}, current)


def check_version(asked: Asked, current: Document) -> None:
    """Raises Refused (version_mismatch) when the caller believes in another version."""
    if asked.if_match not in {None, current["version"]}:
        raise Refused(
            "version_mismatch", f"This is version {current['version']} by now.", version=current["version"]
        )


async def _save(
    turn: Turn, asked: Asked, noun: Noun, document: Document, before: Document | None
) -> Document:
    faults = tuple(noun.faults(document))
    if faults:
        raise Invalid(*faults)
    if noun.is_resource and before is not None:
        await _keep_taken_seats(turn, document, before)
    at = moment(turn.now)
    encoded = msgspec.json.encode(noun.stored(document, turn.seal)).decode()
    await turn.connection.execute(statement(f"{noun.name}_save"), turn.organization, encoded, at)
    if noun.is_resource and (before is None or _seats(before) != _seats(document)):
        await turn.connection.execute(
            statement("set_seats"), turn.organization, document["id"], noun.name, _seats(document), at
        )
    if before is not None and any(before[name] != document[name] for name in noun.counted_by):
        await turn.connection.execute(statement("unit_counts_again"), turn.organization, document["id"])
    saved, _ = await read(turn.connection, turn.organization, noun, turn.seal, document["id"])
    turn.directory_changed = turn.directory_changed or noun.in_directory
    kind = f"{noun.name}.{'created' if before is None else 'changed'}"
    turn.tell(kind, {name: value for name, value in saved.items() if name not in noun.private})
    fields = sorted(name for name in saved if before is None or saved[name] != before.get(name))
    turn.note(asked, kind, noun.name, document["id"], fields=fields)
    return saved


def _seats(document: Document) -> int:
    seats: int = document.get("concurrent_visits_max", 1)
    return seats


async def _keep_taken_seats(turn: Turn, document: Document, before: Document) -> None:
    """Raises Refused if a seat that would go is taken from now on."""
    if _seats(document) >= _seats(before):
        return
    taken = await turn.connection.fetchval(
        statement("seat_taken"), turn.organization, document["id"], _seats(document), moment(turn.now)
    )
    if taken is not None:
        at = rfc3339(int(taken.timestamp()))
        raise Refused(
            "seat_in_use", f"More than {_seats(document)} at once are booked at {at}.",
            field="concurrent_visits_max", start=at,
        )  # fmt: skip
