"""Closures of clinics and rooms, and practitioners' time off. Recording one always succeeds: it counts at once
against new bookings, claims the time that is free, and flags the visits in its way until someone deals with each.
"""

from typing import Any

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands.bodies import visit_body
from holdfast.commands.change import Turn, change
from holdfast.commands.clinics import CLINIC
from holdfast.commands.house import House
from holdfast.commands.practitioners import PRACTITIONER
from holdfast.commands.rooms import ROOM
from holdfast.commands.save import Document, answered, read
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid
from holdfast.rules.facts import Visit
from holdfast.settings import Settings
from holdfast.slot import DAY, Span, moment


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

    async def work(turn: Turn) -> Answered:
        check(house.settings, turn.now, span)
        await read(turn.connection, turn.organization, CLINIC, turn.seal, clinic)
        rooms = await turn.connection.fetchval(statement("rooms_of_clinic"), turn.organization, clinic)
        return await _close(turn, asked, (clinic, None), rooms, span, reason)

    return await change(house, asked, work)


async def close_room(house: House, asked: Asked, room: str, span: Span, reason: str) -> Answered:
    async def work(turn: Turn) -> Answered:
        check(house.settings, turn.now, span)
        document, _ = await read(turn.connection, turn.organization, ROOM, turn.seal, room)
        return await _close(turn, asked, (document["clinic_id"], room), [room], span, reason)

    return await change(house, asked, work)


async def _close(
    turn: Turn, asked: Asked, place: tuple[str, str | None], rooms: list[str], span: Span, reason: str
) -> Answered:
    closure, times = ids.new(), (moment(span[0]), moment(span[1]))
    execute, organization = turn.connection.execute, turn.organization
    await execute(
        statement("closure_insert"), organization, closure, *place, *times, reason, moment(turn.now)
    )
    await execute(statement("claim_free_time"), organization, rooms, *times, "closure", closure, None)
    rows = await turn.connection.fetch(statement("visits_in_closure"), organization, *place, *times)
    recorded = await turn.connection.fetchval(statement("closure_get"), organization, closure)
    flag = "room_closed" if place[1] else "clinic_closed"
    return await _recorded(turn, asked, "closure", msgspec.json.decode(recorded), rows, flag)


async def take_time_off(house: House, asked: Asked, practitioner: str, span: Span, kind: str) -> Answered:
    async def work(turn: Turn) -> Answered:
        check(house.settings, turn.now, span)
        organization, execute = turn.organization, turn.connection.execute
        await read(turn.connection, organization, PRACTITIONER, turn.seal, practitioner)
        absence, times = ids.new(), (moment(span[0]), moment(span[1]))
        await execute(
            statement("time_off_insert"), organization, absence, practitioner, *times, kind, moment(turn.now)
        )
        await execute(
            statement("claim_free_time"), organization, [practitioner], *times, "time_off", None, absence
        )
        rows = await turn.connection.fetch(
            statement("visits_in_time_off"), organization, practitioner, *times
        )
        recorded = await turn.connection.fetchval(statement("time_off_get"), organization, absence)
        return await _recorded(
            turn, asked, "time_off", msgspec.json.decode(recorded), rows, "practitioner_absent"
        )

    return await change(house, asked, work)


async def _recorded(
    turn: Turn, asked: Asked, subject: str, absence: Document, rows: list[Any], flag: str
) -> Answered:
    """Tells the absence and flags the visits in its way; the answer names them."""
    turn.directory_changed = True
    # Why is somebody's own words.
    turn.tell(f"{subject}.recorded", {name: value for name, value in absence.items() if name != "reason"})
    turn.note(asked, f"{subject}.recorded", subject, absence["id"])
    fetch, organization, found = turn.connection.fetch, turn.organization, [row["id"] for row in rows]
    changed = {
        row["id"]
        for row in await fetch(statement("visits_flag"), organization, found, flag, moment(turn.now))
    }
    in_order = [visit for visit in found if visit in changed]
    for row in await fetch(statement("visit_documents"), organization, in_order):
        visit = msgspec.json.decode(row["document"], type=Visit)
        turn.tell("appointment.needs_action", visit_body(visit))
        turn.note(asked, "appointment.needs_action", "appointment", visit.id, needs_action=flag)
    affected = [
        {"id": str(row["id"]), "start": row["start"], "end": row["end"], "status": row["status"]}
        for row in rows
    ]
    return answered(201, absence | {"affected": affected})
