"""GET /availability: which times are free, each with the room it would get."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any

import msgspec

from holdfast.api.booking import acknowledged
from holdfast.api.dates import check_range, minutes_of_day, weekdays_of
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.sought import Wanted, sought
from holdfast.commands.gather import Gathered
from holdfast.commands.refusal import slot_body
from holdfast.commands.search import Looking, Search, Step, search
from holdfast.errors import FieldError, Invalid
from holdfast.rules.availability import Grid, Slot, free_slots

_READ_DAYS = (2, 7)
"""How many days are read first, and then; then all. Who asks for the next few times seldom needs more."""


class Query(Wanted, forbid_unknown_fields=True, kw_only=True):
    """Dates are the clinic's own, both inclusive. `weekdays`: 0 is Monday; may be repeated or given as 1,3. A time that can be
    booked only with `acknowledge_unfunded` or `acknowledge_cap` is free if the question says so too."""

    start_date: date
    end_date: date
    weekdays: list[str] = msgspec.field(default_factory=list)
    time_from: str | None = None
    time_to: str | None = None
    step_minutes: Annotated[int, msgspec.Meta(ge=5, le=240)] = 15
    limit: Annotated[int, msgspec.Meta(ge=1)] = 100


class FreeSlot(msgspec.Struct, kw_only=True):
    start: str
    end: str
    practitioner_id: str
    room_id: str | None
    score: int


class Availability(msgspec.Struct, kw_only=True):
    slots: list[FreeSlot]
    truncated: bool
    as_of_seq: int


class Found(msgspec.Struct, frozen=True):
    slots: list[Slot]
    truncated: bool
    seq: int


async def availability(ask: Ask[Query, Any]) -> Answer:
    query, settings = ask.query, ask.house.settings
    check_range(query.start_date, query.end_date, settings.availability_days_max)
    if query.limit > settings.availability_slots_max:
        raise Invalid(FieldError("limit", "invalid_value", f"may be {settings.availability_slots_max}"))
    grid = _grid(query)
    found: Found = await search(
        ask.house, ask.actor.organization_id, Search(query.need(query.start_date, query.end_date), lambda seen: _look(ask, grid, seen)), ask.deadline
    )  # fmt: skip
    return Answer(
        content={
            "slots": [slot_body(slot) for slot in found.slots], "truncated": found.truncated, "as_of_seq": found.seq,
        },
        seq=found.seq,
    )  # fmt: skip


def _look(ask: Ask[Query, Any], grid: Grid, seen: Gathered) -> Looking:
    """Reads some days, looks through them, and goes on until the limit is settled."""
    query, facts = ask.query, seen.facts
    of = sought(ask, query, seen, query.start_date)
    dates = [on for on in _dates(query) if of.day(on)[1] > facts.now]  # nothing can be free before now
    found: list[Slot] = []
    truncated = False
    for read in _parts(dates):
        seen = yield Step(of.spans(read, facts.now), is_last=read[-1] == dates[-1])
        for on in read:
            slots, truncated = free_slots(
                seen.directory, seen.timetable, of.patient, of.authorizations, of.visit, of.practitioners, [on], grid,
                facts.now, query.limit - len(found), acknowledged=acknowledged(query),
            )  # fmt: skip
            found += slots
            if truncated:
                return Found(found, truncated, facts.seq)
            yield None
    return Found(found, truncated, facts.seq)


def _dates(query: Query) -> list[date]:
    days = (query.end_date - query.start_date).days + 1
    return [query.start_date + timedelta(days=n) for n in range(days)]


def _parts(dates: list[date]) -> Iterator[list[date]]:
    at = 0
    for days in (*_READ_DAYS, len(dates)):
        if part := dates[at : at + days]:
            yield part
        at += days


def _grid(query: Query) -> Grid:
    weekdays = weekdays_of(query.weekdays)
    low = minutes_of_day(query.time_from, "time_from") if query.time_from else 0
    high = minutes_of_day(query.time_to, "time_to") if query.time_to else 1440
    if low >= high:
        raise Invalid(FieldError("time_to", "invalid_value", "must be after time_from"))
    return Grid(
        step_minutes=query.step_minutes, weekdays=weekdays, from_minute=low,
        to_minute=high,
    )  # fmt: skip


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "GET", "/api/v1/availability", availability, "appointments.read",
        "Free times of a clinic for a service, each with its room", query=Query, answer=Availability,
        refusals=("not_found",), tag="appointments",
    ),
)  # fmt: skip
