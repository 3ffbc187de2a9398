"""A series that was booked (`commands/book_series.py`): a date and those after it change or are cancelled, all or none
(`commands/together.py`). What is over or has begun is left, and told; so is what was moved by hand, when times change.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import msgspec

from holdfast.actor import Answered, Asked
from holdfast.commands.batch import need_of
from holdfast.commands.change import Turn, change
from holdfast.commands.desk import View
from holdfast.commands.house import House
from holdfast.commands.intent import Placing
from holdfast.commands.move import Move
from holdfast.commands.series_refusal import explained, series_conflict
from holdfast.commands.together import Change, Together, Verb
from holdfast.commands.transition import Transition
from holdfast.commands.turn_desk import turn_desk
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules import recurrence
from holdfast.slot import MINUTE, day_span, moment, rfc3339

_CHANGEABLE: Final = frozenset({"scheduled", "confirmed"})


class Date(msgspec.Struct, omit_defaults=True):
    """One date of a series: when the series has it begin, and its visit, or the code of why there is none."""

    start: int
    appointment_id: str | None = None
    code: str | None = None


class Series(msgspec.Struct, kw_only=True):
    """Visits that were booked as one, by `rrule` and without `exdates`."""

    id: str
    clinic_id: str
    patient_id: str
    rrule: str
    exdates: list[date]
    dates: list[Date]
    version: int
    created_by: str
    created_at: int
    updated_at: int


class Stored(Series, kw_only=True):
    """A series as it is stored, true at `seq`; `time_zone` is its clinic's."""

    time_zone: str
    seq: int


class Left(msgspec.Struct):
    """A visit of the series that does not change with the others. `reason`: its status; or it has begun; or, when times
    change, somebody has given it another time than the series has for it."""

    appointment_id: str
    start: str
    status: str
    reason: str


class Wanted(msgspec.Struct, kw_only=True):
    """What becomes of the dates that follow; what is None stays. `start` is that of the first that changes, and the others move as
    far on the wall."""

    start: int | None = None
    duration_minutes: int | None = None
    practitioner_id: str | None = None
    room_id: str | None = None
    overlap_reason: str | None = None


Becoming = Callable[[Stored, int, Date], tuple[Verb, int]]
"""What becomes of a date, given when the series has the first that changes begin; and when it begins then."""


class _Shown(msgspec.Struct):
    appointments: msgspec.Raw


async def read(connection: Connection, organization: str, series_id: str) -> Stored:
    """Raises NotFound."""
    row = await connection.fetchrow(statement("series_get"), organization, series_id)
    if row is None:
        raise NotFound("id")
    return Stored(**dict(row) | {"dates": msgspec.json.decode(row["dates"], type=list[Date])})


def encoded(dates: list[Date]) -> str:
    """Dates as they are stored."""
    return msgspec.json.encode(dates).decode()


def series_body(series: Series) -> dict[str, Any]:
    """What events tell of a series."""
    return {
        "id": series.id, "clinic_id": series.clinic_id, "patient_id": series.patient_id, "rrule": series.rrule,
        "exdates": series.exdates, "dates": series.dates, "version": series.version,
        "created_at": rfc3339(series.created_at), "updated_at": rfc3339(series.updated_at),
    }  # fmt: skip


async def move(
    house: House, asked: Asked, series_id: str, since: date | str | None, wanted: Wanted, view: View
) -> Answered:
    """Changes a date and those after it, or none of them: 200 with `changed` and `left`.

    `since`: a local date, the id of a visit, or from now on. Raises Refused: series_conflict, whose `dates`
    names every bad date with all its reasons; version_mismatch, forbidden. NotFound, Invalid.
    """
    is_timed = wanted.start is not None or wanted.duration_minutes is not None
    moves: dict[str, Placing] = {}

    def becoming(stored: Stored, first: int, each: Date) -> tuple[Verb, int]:
        start = each.start
        if wanted.start is not None:
            by = recurrence.wall_distance(first, wanted.start, stored.time_zone)
            start = recurrence.later(each.start, by, stored.time_zone)
        move = Move(
            id=each.appointment_id or "", start=start if is_timed else None,
            end=start + wanted.duration_minutes * MINUTE if wanted.duration_minutes is not None else None,
            practitioner_id=wanted.practitioner_id, room_id=wanted.room_id, overlap_reason=wanted.overlap_reason,
        )  # fmt: skip
        moves[move.id] = move
        return move, start

    is_empty = wanted == Wanted(overlap_reason=wanted.overlap_reason)
    how = None if is_empty else becoming
    try:
        return await _follow(house, asked, series_id, since, how, view, is_timed=is_timed)
    except Refused as refused:
        if refused.code != "series_conflict":
            raise
        need = need_of(list(moves.values()))
        raise await explained(house, asked, need, lambda _directory: moves, refused) from None


async def cancel(
    house: House, asked: Asked, series_id: str, since: date | str | None, how: dict[str, Any], view: View
) -> Answered:
    """Cancels a date and those after it, or none of them: 200 with `changed` and `left`. `how`: the fields of a
    cancellation. Raises as `move`."""

    def becoming(_stored: Stored, _first: int, each: Date) -> tuple[Verb, int]:
        return Transition(id=each.appointment_id or "", call="cancel", **how), each.start

    return await _follow(house, asked, series_id, since, becoming, view)


async def _follow(
    house: House,
    asked: Asked,
    series_id: str,
    since: date | str | None,
    becoming: Becoming | None,
    view: View,
    *,
    is_timed: bool = False,
) -> Answered:
    """`is_timed`: they get another time, measured from the first that changes; what was moved by hand keeps its own."""

    async def work(turn: Turn) -> Answered:
        stored = await read(turn.connection, turn.organization, series_id)
        rows = await turn.connection.fetch(statement("series_visits"), turn.organization, series_id)
        visits = {row["id"]: row for row in rows}
        is_own_only = asked.actor.reach("appointments.write") == "own"
        hidden = {
            each for each, row in visits.items()
            if is_own_only and asked.actor.practitioner_id not in row["practitioner_ids"]
        }  # fmt: skip
        if hidden == visits.keys():
            raise NotFound("id")
        if asked.if_match not in {None, stored.version}:
            raise Refused(
                "version_mismatch", f"This is version {stored.version} by now.", version=stored.version
            )
        if becoming is None:
            raise Invalid(FieldError("body", "missing", "give at least one field to change"))
        following = _following(stored, since, visits, turn.now)
        left = _left(visits, following, turn.now, is_timed=is_timed)
        kept = {each.appointment_id for each in left}
        if is_timed and since in kept:
            raise Invalid(FieldError("from", "invalid_value", "names a visit that does not change"))
        changing = [each for each in following if each.appointment_id not in kept]
        shown, version = msgspec.Raw(b"[]"), stored.version
        if changing:
            became = [becoming(stored, changing[0].start, each) for each in changing]
            versions = {each: row["version"] for each, row in visits.items()}
            shown = await _carried_out(house, turn, asked, became, versions, view)
            for each, (_, start) in zip(changing, became, strict=True):
                each.start = start
            version = await _changed(turn, asked, stored, len(changing))
        content = msgspec.json.encode(
            {
                "series_id": series_id,
                "version": version,
                "changed": shown,
                "left": [each for each in left if each.appointment_id not in hidden],
            }
        )
        return Answered(status=200, content=content, version=version)

    return await change(house, asked, work)


def _following(stored: Stored, since: date | str | None, visits: dict[str, Any], now: int) -> list[Date]:
    """The dates with a visit from one of the series' dates on, or whose visits lie from now on. Raises NotFound for a visit of
    no date; Invalid if there is none from then on."""
    first = now
    booked = [each for each in stored.dates if each.appointment_id is not None]
    if isinstance(since, date):
        first = day_span(since, stored.time_zone)[0]
    elif since is not None:
        named = [each.start for each in booked if each.appointment_id == since]
        if not named:
            raise NotFound("from")
        first = named[0]
    found = [
        each for each in booked
        if (visits[each.appointment_id or ""]["starts_at"] if since is None else each.start) >= first
    ]  # fmt: skip
    if not found:
        raise Invalid(FieldError("from", "invalid_value", "the series has no visit from then on"))
    return found


def _left(visits: dict[str, Any], following: list[Date], now: int, *, is_timed: bool) -> list[Left]:
    found = []
    for each in following:
        row = visits[each.appointment_id or ""]
        reason = (
            row["status"] if row["status"] not in _CHANGEABLE
            else "moved_by_hand" if is_timed and row["starts_at"] != each.start
            else "begun" if row["starts_at"] <= now else None
        )  # fmt: skip
        if reason is not None:
            found.append(Left(row["id"], rfc3339(row["starts_at"]), row["status"], reason))
    return found


async def _carried_out(
    house: House,
    turn: Turn,
    asked: Asked,
    became: list[tuple[Verb, int]],
    versions: dict[str, int],
    view: View,
) -> msgspec.Raw:
    """The visits, which are at `versions`, as they have become. Raises Refused with every bad date, and then nothing has changed."""
    errand = Together(
        changes=tuple([Change(verb=verb, version=versions[verb.id]) for verb, _ in became]), field=""
    )
    desk = await turn_desk(house, turn, need_of(list(errand.parts)))
    try:
        content, _ = errand.carry_out(desk, asked, view)
    except Refused as refused:
        if refused.code != "plan_outdated":
            raise
        starts = {verb.id: start for verb, start in became}
        dates = [
            {"appointment_id": each["appointment_id"], "start": rfc3339(starts[each["appointment_id"]]),
             "code": each["reasons"][0]["code"], "reasons": each["reasons"]}
            for each in refused.members["outdated"]
        ]  # fmt: skip
        raise series_conflict(dates, turn.seq_before) from None
    return msgspec.json.decode(content, type=_Shown).appointments


async def _changed(turn: Turn, asked: Asked, stored: Stored, visits: int) -> int:
    """Keeps the series as its dates have become; its version."""
    stored.version, stored.updated_at = stored.version + 1, turn.now
    stored.dates.sort(key=lambda each: each.start)
    await turn.connection.execute(
        statement("series_change"), turn.organization, stored.id, encoded(stored.dates), stored.version,
        moment(turn.now),
    )  # fmt: skip
    turn.tell("series.changed", series_body(stored))
    turn.note(asked, "series.changed", "series", stored.id, version=stored.version, visits=visits)
    return stored.version
