"""Closures of clinics and rooms, and practitioners' time off. Recording or lengthening one always succeeds: it counts at
once against new bookings, claims the time that is free, and flags the visits in its way until someone deals with each.
Shortening or removing one gives its time back, to other absences where these cover it, and takes the flags that no other
absence keeps.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands.bodies import visit_body
from holdfast.commands.change import Turn, change
from holdfast.commands.clinics import CLINIC
from holdfast.commands.house import House
from holdfast.commands.practitioners import PRACTITIONER
from holdfast.commands.rooms import ROOM
from holdfast.commands.save import Document, Noun, answered, read
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules.facts import Visit
from holdfast.settings import Settings
from holdfast.slot import DAY, Span, instant, moment
from holdfast.vault import Seal

# Why a place is closed is somebody's own words.
CLOSURE: Final = Noun("closure", "closures", private=frozenset({"reason"}))
TIME_OFF: Final = Noun("time_off", "time_off")


@dataclass(frozen=True, slots=True)
class Whose:
    """Whom or what an absence is of. `fields`: as its document says it, in the order in which statements take it; `why`:
    the field that says why; `resources`: whose time it takes."""

    absence: Noun
    fields: Document
    why: str
    flag: str
    resources: list[str]


async def whose(connection: Connection, organization: str, seal: Seal, of: Noun, subject: str) -> Whose:
    """What an absence of a clinic, room or practitioner is about. Raises NotFound."""
    document, _ = await read(connection, organization, of, seal, subject)
    if of is PRACTITIONER:
        return Whose(TIME_OFF, {"practitioner_id": subject}, "kind", "practitioner_absent", [subject])
    if of is ROOM:
        place = {"clinic_id": document["clinic_id"], "room_id": subject}
        return Whose(CLOSURE, place, "reason", "room_closed", [subject])
    rooms = await connection.fetchval(statement("rooms_of_clinic"), organization, subject)
    return Whose(CLOSURE, {"clinic_id": subject, "room_id": None}, "reason", "clinic_closed", rooms)


async def find(
    connection: Connection, organization: str, seal: Seal, of: Whose, absence_id: str
) -> tuple[Document, int]:
    """An absence of this and nobody else, and the seq it is true at. Raises NotFound."""
    field = f"{of.absence.name}_id"
    try:
        found, seq = await read(connection, organization, of.absence, seal, absence_id)
    except NotFound:
        raise NotFound(field) from None
    if any(found[name] != value for name, value in of.fields.items()):
        raise NotFound(field)
    return found, seq


async def affected(connection: Connection, organization: str, of: Whose, span: Span) -> list[Document]:
    """The visits, blocks and groups in the way of an absence, earliest first."""
    times = (moment(span[0]), moment(span[1]))
    visits = await connection.fetch(
        statement(f"{of.absence.name}_visits"), organization, *of.fields.values(), *times
    )
    blocks = await connection.fetch(statement("blocks_in_absence"), organization, of.resources, *times)
    found = [_affected("appointment", row, row["status"]) for row in visits]
    found += [_affected(row["kind"], row, row["kind"]) for row in blocks]
    return sorted(found, key=lambda each: (each["start"], each["kind"], each["id"]))


def _affected(kind: str, row: Any, status: str) -> Document:
    return {
        "kind": kind,
        "id": str(row["id"]),
        "start": row["start"],
        "end": row["end"],
        "status": status,
    }


def check(settings: Settings, now: int, span: Span) -> None:
    """Raises Invalid for time that is reversed, empty, too long or too far ahead."""
    start, end = span
    if end <= start:
        raise Invalid(FieldError("end", "invalid_value", "must be after the start"))
    if end - start > settings.date_range_days_max * DAY:
        raise Invalid(
            FieldError(
                "end", "invalid_value", f"must be at most {settings.date_range_days_max} days after the start"
            )
        )
    if start > now + settings.start_ahead_days_max * DAY:
        raise Invalid(FieldError("start", "invalid_value", "is more than five years ahead"))


async def close_clinic(house: House, asked: Asked, clinic: str, span: Span, reason: str) -> Answered:
    """A closure of all of a clinic: its rooms, and its visits on site."""
    return await _record(house, asked, CLINIC, clinic, span, reason)


async def close_room(house: House, asked: Asked, room: str, span: Span, reason: str) -> Answered:
    return await _record(house, asked, ROOM, room, span, reason)


async def take_time_off(house: House, asked: Asked, practitioner: str, span: Span, kind: str) -> Answered:
    return await _record(house, asked, PRACTITIONER, practitioner, span, kind)


async def _record(house: House, asked: Asked, noun: Noun, subject: str, span: Span, why: str) -> Answered:
    async def work(turn: Turn) -> Answered:
        check(house.settings, turn.now, span)
        of = await whose(turn.connection, turn.organization, turn.seal, noun, subject)
        absence, times, at = ids.new(), (moment(span[0]), moment(span[1])), moment(turn.now)
        await turn.connection.execute(
            statement(f"{of.absence.name}_insert"), turn.organization, absence, *of.fields.values(), *times, why, at
        )  # fmt: skip
        await _claim(turn, of, absence, span)
        recorded, _ = await find(turn.connection, turn.organization, turn.seal, of, absence)
        _tell(turn, asked, of, "recorded", recorded)
        listed = await affected(turn.connection, turn.organization, of, span)
        visits = [each["id"] for each in listed if each["kind"] == "appointment"]
        changed = await turn.connection.fetch(
            statement("visits_flag"), turn.organization, visits, of.flag, at
        )
        await _tell_flags(turn, asked, changed)
        return answered(201, recorded | {"affected": listed})

    return await change(house, asked, work)


async def alter(
    house: House, asked: Asked, noun: Noun, subject: str, absence_id: str, fields: Document
) -> Answered:
    """Lays `fields` over an absence of a clinic, room or practitioner, shorter or longer, whatever is booked. What would
    change nothing has no effect and keeps the version. Raises NotFound, Invalid, Refused (version_mismatch)."""

    async def work(turn: Turn) -> Answered:
        of = await whose(turn.connection, turn.organization, turn.seal, noun, subject)
        before = await _current(turn, asked, of, absence_id)
        wanted = before | fields
        span = _span(wanted)
        if wanted != before:
            if span != _span(before):
                check(house.settings, turn.now, span)
            await turn.connection.execute(
                statement(f"{of.absence.name}_set"), turn.organization, absence_id, moment(span[0]),
                moment(span[1]), wanted[of.why],
            )  # fmt: skip
            wanted, _ = await find(turn.connection, turn.organization, turn.seal, of, absence_id)
            _tell(turn, asked, of, "changed", wanted)
        listed = await affected(turn.connection, turn.organization, of, span)
        if span != _span(before):
            await _release(turn, of, absence_id, _span(before))
            await _claim(turn, of, absence_id, span)
            await _fill(turn, of, _span(before))
            await _flag_anew(turn, asked, of, _span(before), listed)
        return answered(200, wanted | {"affected": listed})

    return await change(house, asked, work)


async def remove(house: House, asked: Asked, noun: Noun, subject: str, absence_id: str) -> Answered:
    """Takes an absence away, with its time and the flags that were only its own: 204. Raises as `alter`."""

    async def work(turn: Turn) -> Answered:
        of = await whose(turn.connection, turn.organization, turn.seal, noun, subject)
        absence = await _current(turn, asked, of, absence_id)
        await _release(turn, of, absence_id, _span(absence))
        await turn.connection.execute(statement(f"{of.absence.name}_remove"), turn.organization, absence_id)
        _tell(turn, asked, of, "removed", absence | {"version": absence["version"] + 1})
        await _fill(turn, of, _span(absence))
        await _flag_anew(turn, asked, of, _span(absence), ())
        return Answered(status=204, content=b"")

    return await change(house, asked, work)


async def _current(turn: Turn, asked: Asked, of: Whose, absence_id: str) -> Document:
    """The absence that is to be changed. Raises NotFound; Refused for another version."""
    found, _ = await find(turn.connection, turn.organization, turn.seal, of, absence_id)
    if asked.if_match not in {None, found["version"]}:
        raise Refused(
            "version_mismatch", f"This is version {found['version']} by now.", version=found["version"]
        )
    return found


def _span(absence: Document) -> Span:
    return instant(absence["start"]), instant(absence["end"])


async def _claim(turn: Turn, of: Whose, absence_id: str, span: Span) -> None:
    """Claims for the absence what is free of its time."""
    name = of.absence.name
    owner = (absence_id, None) if of.absence is CLOSURE else (None, absence_id)
    await turn.connection.execute(
        statement("claim_free_time"), turn.organization, of.resources, moment(span[0]), moment(span[1]), name, *owner
    )  # fmt: skip


async def _release(turn: Turn, of: Whose, absence_id: str, span: Span) -> None:
    await turn.connection.execute(
        statement("absence_claims_release"), turn.organization, of.resources, moment(span[0]), moment(span[1]),
        absence_id,
    )  # fmt: skip


async def _fill(turn: Turn, of: Whose, span: Span) -> None:
    """What is free of a span now is the other absences' that cover it."""
    await turn.connection.execute(
        statement("fill_absences"), turn.organization, of.resources, moment(span[0]), moment(span[1])
    )


async def _flag_anew(turn: Turn, asked: Asked, of: Whose, before: Span, listed: Iterable[Document]) -> None:
    """Flags what is in the way now, and those flagged around the time before, by all the absences there are now."""
    rows = await turn.connection.fetch(
        statement(f"{of.absence.name}_visits_flagged"), turn.organization, *of.fields.values(),
        moment(before[0]), moment(before[1]),
    )  # fmt: skip
    concerned = {str(row["id"]) for row in rows}
    concerned |= {each["id"] for each in listed if each["kind"] == "appointment"}
    changed = await turn.connection.fetch(
        statement("visits_flag_anew"), turn.organization, sorted(concerned), moment(turn.now)
    )
    await _tell_flags(turn, asked, changed)


async def _tell_flags(turn: Turn, asked: Asked, changed: Iterable[Any]) -> None:
    """Tells every visit whose flag has changed, earliest first."""
    found = [row["id"] for row in changed]
    rows = await turn.connection.fetch(statement("visit_documents"), turn.organization, found)
    visits = [msgspec.json.decode(row["document"], type=Visit) for row in rows]
    for visit in sorted(visits, key=lambda each: (each.start, each.id)):
        turn.tell("appointment.needs_action", visit_body(visit))
        turn.note(asked, "appointment.needs_action", "appointment", visit.id, needs_action=visit.needs_action)


def _tell(turn: Turn, asked: Asked, of: Whose, verb: str, absence: Document) -> None:
    """The audit row keeps when it was: of an absence that is removed nothing else is left to say it."""
    turn.directory_changed = True
    kind = f"{of.absence.name}.{verb}"
    turn.tell(kind, {name: value for name, value in absence.items() if name not in of.absence.private})
    turn.note(asked, kind, of.absence.name, absence["id"], start=absence["start"], end=absence["end"])
