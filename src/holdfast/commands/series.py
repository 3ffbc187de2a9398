"""A series: a visit on each date of a rule. All dates are decided on one desk in one turn, each beside those before it, and
written together, or none is. Later a date and those after it change or are cancelled, all or none (`commands/together.py`).
"""

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import Any, Final

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands.batch import Batch, need_of
from holdfast.commands.book import Book
from holdfast.commands.change import Turn, change
from holdfast.commands.desk import Desk, View
from holdfast.commands.gather import Need, gather
from holdfast.commands.house import House
from holdfast.commands.intent import known
from holdfast.commands.line_wish import LineWish
from holdfast.commands.move import Move
from holdfast.commands.reading import snapshot
from holdfast.commands.refusal import in_the_way, laid_out
from holdfast.commands.together import Change, Together, Verb
from holdfast.commands.transition import Transition
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import REFUSALS, FieldError, Invalid, NotFound, Refused
from holdfast.rules import recurrence
from holdfast.rules.assess import assess
from holdfast.rules.facts import Directory, SpanOf, Visit
from holdfast.rules.recurrence import Recurs
from holdfast.rules.timetable import Timetable
from holdfast.slot import MINUTE, day_span, moment, rfc3339

_CHANGEABLE: Final = frozenset({"scheduled", "confirmed"})


class Date(msgspec.Struct, omit_defaults=True):
    """One date of a series: when the series has it begin, and its visit, or the code of why there is none."""

    start: int
    appointment_id: str | None = None
    code: str | None = None


class Stored(msgspec.Struct):
    """A series as it is stored, true at `seq`; `time_zone` is its clinic's."""

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
    time_zone: str
    seq: int


class Left(msgspec.Struct):
    """A visit of the series that does not change with the others. `reason`: its status; or it has begun, or somebody has
    given it another time than the series has for it."""

    appointment_id: str
    start: str
    status: str
    reason: str


class Wanted(msgspec.Struct, kw_only=True):
    """What becomes of the dates that follow; what is None stays. `start` is that of the first of them, and the others move as
    far on the wall."""

    start: int | None = None
    duration_minutes: int | None = None
    practitioner_id: str | None = None
    room_id: str | None = None
    overlap_reason: str | None = None


class _Unfit(Exception):
    """Some dates cannot be had: those bookings, each with its refusal."""

    def __init__(self, refused: list[tuple[Book, Refused]]) -> None:
        super().__init__(f"{len(refused)} dates cannot be had")
        self.refused = refused


class _Shown(msgspec.Struct):
    appointments: msgspec.Raw


async def read(connection: Connection, organization: str, series_id: str) -> Stored:
    """Raises NotFound."""
    row = await connection.fetchrow(statement("series_get"), organization, series_id)
    if row is None:
        raise NotFound("id")
    return Stored(**dict(row) | {"dates": msgspec.json.decode(row["dates"], type=list[Date])})


async def book(
    house: House, asked: Asked, booking: Book, recurs: Recurs, view: View, *, skip_conflicts: bool
) -> Answered:
    """Books every date, or with `skip_conflicts` those that can be had: 201 with `booked` and `skipped`.

    Raises Refused: series_conflict, whose `dates` names every bad date with all its reasons; forbidden. NotFound, Invalid.
    """
    wish = _Wish(booking, recurs)

    async def work(turn: Turn) -> Answered:
        desk = await _desk(house, turn, dataclasses.replace(need_of([booking]), spans=wish.spans))
        visits, refused = _decided(desk, asked, wish.bookings(desk.directory))
        if refused and not (skip_conflicts and visits):
            raise _Unfit(refused)
        dates = [Date(start=visit.start, appointment_id=visit.id) for visit in visits]
        dates += [Date(start=each.start, code=refusal.code) for each, refusal in refused]
        dates.sort(key=lambda each: each.start)
        await _keep(turn, asked, wish, dates, len(visits))
        turn.written = Batch(desk, set()).written
        patient = desk.patient(booking.patient)
        content = msgspec.json.encode({
            "series_id": wish.series_id, "version": 1,
            "booked": [msgspec.Raw(view(visit, desk.directory, asked, patient)) for visit in visits],
            "skipped": [_bad(each, refusal) for each, refusal in refused],
        })  # fmt: skip
        return Answered(status=201, content=content, version=1)

    try:
        return await change(house, asked, work)
    except _Unfit as unfit:
        raise await _explained(house, asked, unfit.refused) from unfit


async def move(
    house: House, asked: Asked, series_id: str, since: date | str | None, wanted: Wanted, view: View
) -> Answered:
    """Changes a date and those after it, or none of them: 200 with `changed` and `left`.

    `since`: a local date, the id of a visit, or from now on. Raises Refused: series_conflict, as `book`; version_mismatch,
    forbidden. NotFound, Invalid.
    """

    def becoming(stored: Stored, first: int, each: Date) -> tuple[Verb, int]:
        start = each.start
        if wanted.start is not None:
            by = recurrence.wall_distance(first, wanted.start, stored.time_zone)
            start = recurrence.later(each.start, by, stored.time_zone)
        is_timed = wanted.start is not None or wanted.duration_minutes is not None
        return Move(
            id=each.appointment_id or "", start=start if is_timed else None,
            end=start + wanted.duration_minutes * MINUTE if wanted.duration_minutes is not None else None,
            practitioner_id=wanted.practitioner_id, room_id=wanted.room_id, overlap_reason=wanted.overlap_reason,
        ), start  # fmt: skip

    is_empty = wanted == Wanted(overlap_reason=wanted.overlap_reason)
    return await _follow(house, asked, series_id, since, None if is_empty else becoming, view)


async def cancel(
    house: House, asked: Asked, series_id: str, since: date | str | None, how: dict[str, Any], view: View
) -> Answered:
    """Cancels a date and those after it, or none of them: 200 with `changed` and `left`. `how`: the fields of a
    cancellation. Raises as `move`."""

    def becoming(_stored: Stored, _first: int, each: Date) -> tuple[Verb, int]:
        return Transition(id=each.appointment_id or "", call="cancel", **how), each.start

    return await _follow(house, asked, series_id, since, becoming, view)


# Booking


class _Wish:
    """What is asked for, as the bookings that it makes with a directory."""

    def __init__(self, booking: Book, recurs: Recurs) -> None:
        self.series_id = ids.new()
        self.booking, self.recurs = booking, recurs
        self._made: tuple[Directory, list[Book]] | None = None

    def bookings(self, directory: Directory) -> list[Book]:
        """One for each date, as long as the first is. Raises NotFound and Invalid naming the field."""
        if self._made is None or self._made[0] is not directory:
            known(directory.clinics, self.booking.clinic_id, "clinic_id")
            first, zone_name = self.booking.start, directory.clinics[self.booking.clinic_id].time_zone
            span = (first, self.booking.wished(directory, None, 0).end)
            dates = recurrence.spans(self.recurs.rule, span, zone_name, self.recurs.without)
            self._made = (directory, [self._at(start) for start, _ in dates])
        return self._made[1]

    def _at(self, start: int) -> Book:
        by, booking = start - self.booking.start, self.booking
        return msgspec.structs.replace(
            booking, start=start, first=_later(booking.first, by), series_id=self.series_id,
            others=tuple([(field, _later(line, by)) for field, line in booking.others]),
        )  # fmt: skip

    def spans(self, directory: Directory, _visits: dict[str, Visit], now: int) -> list[SpanOf]:
        try:
            bookings = self.bookings(directory)
        except (NotFound, Invalid):
            return []  # said when it is decided, by a directory that is true
        return [span for each in bookings for span in each.spans(directory, None, now)]


def _later(line: LineWish, by: int) -> LineWish:
    start = None if line.start is None else line.start + by
    end = None if line.end is None else line.end + by
    return msgspec.structs.replace(line, start=start, end=end)


def _decided(
    desk: Desk, asked: Asked, bookings: list[Book]
) -> tuple[list[Visit], list[tuple[Book, Refused]]]:
    """The visits that are granted, and the bookings that are refused: each beside those before it."""
    visits, refused = [], []
    for each in bookings:
        try:
            visits.append(each.decide(desk, asked))
        except Refused as refusal:
            if refusal.code not in REFUSALS:
                raise
            refused.append((each, refusal))
    return visits, refused


async def _keep(turn: Turn, asked: Asked, wish: _Wish, dates: list[Date], booked: int) -> None:
    at = moment(turn.now)
    stored = Stored(
        id=wish.series_id, clinic_id=wish.booking.clinic_id, patient_id=wish.booking.patient, rrule=wish.recurs.rule,
        exdates=sorted(wish.recurs.without), dates=dates, version=1, created_by=asked.actor.user_id,
        created_at=turn.now, updated_at=turn.now, time_zone="", seq=turn.seq_before,
    )  # fmt: skip
    await turn.connection.execute(
        statement("series_insert"), turn.organization, stored.id, stored.clinic_id, stored.patient_id, stored.rrule,
        stored.exdates, _encoded(dates), stored.created_by, at,
    )  # fmt: skip
    _tell(turn, asked, "series.booked", stored, visits=booked)


def _encoded(dates: list[Date]) -> str:
    return msgspec.json.encode(dates).decode()


def _tell(turn: Turn, asked: Asked, kind: str, stored: Stored, **detail: Any) -> None:
    turn.tell(kind, {
        "id": stored.id, "clinic_id": stored.clinic_id, "patient_id": stored.patient_id, "rrule": stored.rrule,
        "exdates": stored.exdates, "dates": stored.dates, "version": stored.version,
        "created_at": rfc3339(stored.created_at), "updated_at": rfc3339(stored.updated_at),
    })  # fmt: skip
    turn.note(asked, kind, "series", stored.id, version=stored.version, **detail)


def _bad(booking: Book, refusal: Refused) -> dict[str, Any]:
    """A date that cannot be had, with every reason."""
    return {
        "start": rfc3339(booking.start), "code": refusal.code,
        "reasons": [{"code": each.code, "detail": each.detail, **each.members} for each in refusal.reasons],
    }  # fmt: skip


async def _explained(house: House, asked: Asked, refused: list[tuple[Book, Refused]]) -> Refused:
    """The refusal with every bad date and what is in its way, looked up when the turn has been given back."""
    async with snapshot(house, asked.actor.organization_id) as reading:
        found = await reading.gather(need_of([each for each, _ in refused]))
        dates = []
        for each, refusal in refused:
            desk, asked_for, patient = await laid_out(house, reading, found, asked, each)
            known = desk.authorizations_of(patient.id)
            verdict = assess(found.directory, found.timetable, patient, known, asked_for)
            conflicts = await in_the_way(reading, verdict.conflicts)
            dates.append(_bad(each, refusal) | {"conflicts": conflicts})
    return _series_conflict(dates, found.facts.seq)


def _series_conflict(dates: list[dict[str, Any]], seq: int) -> Refused:
    which = "One of the dates" if len(dates) == 1 else f"{len(dates)} of the dates"
    return Refused(
        "series_conflict", f"{which} cannot be had; nothing was changed.", dates=dates,
        alternatives={"rooms": [], "slots": []}, as_of_seq=seq,
    )  # fmt: skip


# This and the following


Becoming = Callable[[Stored, int, Date], tuple[Verb, int]]
"""What becomes of a date, given when the series has the first that follows begin; and when it begins then."""


async def _follow(
    house: House,
    asked: Asked,
    series_id: str,
    since: date | str | None,
    becoming: Becoming | None,
    view: View,
) -> Answered:
    async def work(turn: Turn) -> Answered:
        stored = await read(turn.connection, turn.organization, series_id)
        if asked.if_match not in {None, stored.version}:
            raise Refused(
                "version_mismatch", f"This is version {stored.version} by now.", version=stored.version
            )
        if becoming is None:
            raise Invalid(FieldError("body", "missing", "give at least one field to change"))
        following = _following(stored, since, turn.now)
        rows = await turn.connection.fetch(statement("series_visits"), turn.organization, series_id)
        left = _left({row["id"]: row for row in rows}, following, turn.now)
        kept = {each.appointment_id for each in left}
        changing = [each for each in following if each.appointment_id not in kept]
        shown, version = msgspec.Raw(b"[]"), stored.version
        if changing:
            became = [becoming(stored, following[0].start, each) for each in changing]
            shown = await _carried_out(house, turn, asked, became, view)
            for each, (_, start) in zip(changing, became, strict=True):
                each.start = start
            version = await _changed(turn, asked, stored, len(changing))
        content = msgspec.json.encode(
            {"series_id": series_id, "version": version, "changed": shown, "left": left}
        )
        return Answered(status=200, content=content, version=version)

    return await change(house, asked, work)


def _following(stored: Stored, since: date | str | None, now: int) -> list[Date]:
    """The dates with a visit from one on. Raises NotFound for a visit of no date; Invalid if there is none from then on."""
    first = now
    if isinstance(since, date):
        first = day_span(since, stored.time_zone)[0]
    elif since is not None:
        named = [each.start for each in stored.dates if each.appointment_id == since]
        if not named:
            raise NotFound("from")
        first = named[0]
    found = [each for each in stored.dates if each.appointment_id is not None and each.start >= first]
    if not found:
        raise Invalid(FieldError("from", "invalid_value", "the series has no visit from then on"))
    return found


def _left(visits: dict[str, Any], following: list[Date], now: int) -> list[Left]:
    found = []
    for each in following:
        row = visits[each.appointment_id or ""]
        reason = (
            row["status"] if row["status"] not in _CHANGEABLE
            else "moved_by_hand" if row["starts_at"] != each.start
            else "begun" if each.start <= now else None
        )  # fmt: skip
        if reason is not None:
            found.append(Left(row["id"], rfc3339(row["starts_at"]), row["status"], reason))
    return found


async def _carried_out(
    house: House, turn: Turn, asked: Asked, became: list[tuple[Verb, int]], view: View
) -> msgspec.Raw:
    """The visits as they have become. Raises Refused with every bad date, and then nothing has changed."""
    desk = await _desk(house, turn, need_of([verb for verb, _ in became]))
    errand = Together(
        changes=tuple([Change(verb=verb, version=_version(desk, verb)) for verb, _ in became]), field=""
    )
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
        raise _series_conflict(dates, turn.seq_before) from None
    turn.written = Batch(desk, set()).written
    return msgspec.json.decode(content, type=_Shown).appointments


def _version(desk: Desk, verb: Verb) -> int:
    visit = desk.stored(verb.id)
    return 0 if visit is None else visit.version


async def _changed(turn: Turn, asked: Asked, stored: Stored, visits: int) -> int:
    """Keeps the series as its dates have become; its version."""
    stored.version, stored.updated_at = stored.version + 1, turn.now
    stored.dates.sort(key=lambda each: each.start)
    await turn.connection.execute(
        statement("series_change"), turn.organization, stored.id, _encoded(stored.dates), stored.version,
        moment(turn.now),
    )  # fmt: skip
    _tell(turn, asked, "series.changed", stored, visits=visits)
    return stored.version


async def _desk(house: House, turn: Turn, need: Need) -> Desk:
    """The desk of this turn, without holds that have expired."""
    found = await gather(
        turn.connection,
        turn.organization,
        "facts",
        need,
        house.directories.get(turn.organization),
        Timetable(-1),
    )
    desk = Desk(house.settings, found.directory, found.timetable, found.facts, turn)
    desk.sweep()
    return desk
