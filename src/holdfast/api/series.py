"""/series: visits that were booked as one by a rule; a date and those after it change and are cancelled together."""

import re
from datetime import date
from typing import Annotated, Any, Final, Literal

import msgspec

from holdfast import ids
from holdfast.api import appointment_view
from holdfast.api.appointment_view import Appointment, PlacedAppointment
from holdfast.api.appointments import Cancellation, seen, submitted
from holdfast.api.booking import Booking, Minutes, Overlap, booking, check_notes, reason_of
from holdfast.api.dates import YEARS
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.wire import Id, Instant
from holdfast.commands import series
from holdfast.commands.book_series import BookSeries, every_date, explained
from holdfast.commands.gather import Need
from holdfast.commands.reading import snapshot
from holdfast.commands.series import Wanted
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules.recurrence import DATES_MAX, Recurs
from holdfast.slot import rfc3339


class NewSeries(Booking, kw_only=True):
    """The booking of the first date, and the rule by which it is given again, at the same time on the clinic's wall all year.
    `rrule`: RFC 5545 with COUNT or UNTIL, at most 104 dates within two years, the first of them the start's; EXDATE may
    stand among its parts or on lines of its own. `exdates`: local dates that are left out too. `skip_conflicts`: book the
    dates that can be had; otherwise all or none."""

    rrule: Annotated[str, msgspec.Meta(min_length=1, max_length=4_000, examples=["FREQ=WEEKLY;COUNT=10"])]
    exdates: Annotated[tuple[date, ...], msgspec.Meta(max_length=DATES_MAX)] = ()
    skip_conflicts: bool = False


class DateReason(msgspec.Struct, kw_only=True):
    """Why a date cannot be had; members that belong to the code come with it."""

    code: str
    detail: str


class SkippedDate(msgspec.Struct, kw_only=True):
    """A date that could not be had: `code` is its first reason's."""

    start: str
    code: str
    reasons: list[DateReason]


class BookedSeries(msgspec.Struct, kw_only=True):
    series_id: str
    version: int
    booked: list[PlacedAppointment]
    skipped: list[SkippedDate]


class LeftOut(msgspec.Struct, kw_only=True):
    """A date of the rule that was skipped when the series was booked."""

    start: str
    code: str


class Series(msgspec.Struct, kw_only=True):
    """`rrule` and `exdates` are as it was booked; what has become of each date since, its appointment says."""

    series_id: str
    clinic_id: str
    patient_id: str
    rrule: str
    exdates: list[str]
    version: int
    appointments: list[Appointment]
    skipped: list[LeftOut]
    created_by: str
    created_at: str
    updated_at: str


Since = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=36,
        description="A date of the clinic, or the id of one of the visits: that one and those after it. From now on if it "
        "is not given.",
    ),
]  # fmt: skip


class SeriesChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Only what is given changes. `start`: of the visit that `from` names, otherwise of the first that changes; the others
    move as far on the clinic's wall. A new start without a duration keeps the length."""

    since: Since | None = msgspec.field(default=None, name="from")
    start: Instant | None = None
    duration_minutes: Minutes | None = None
    practitioner_id: Id | None = None
    room_id: Id | None = None
    allow_overlap: Overlap | None = None


class SeriesCancellation(Cancellation, kw_only=True):
    """Of every visit that follows."""

    since: Since | None = msgspec.field(default=None, name="from")


class VisitLeft(msgspec.Struct, kw_only=True):
    """A visit that stays as it is: it is over or under way (`reason` is its status), it has `begun`, or, when times
    change, it was `moved_by_hand` to another time than the series'."""

    appointment_id: str
    start: str
    status: str
    reason: Literal[
        "checked_in", "in_progress", "completed", "cancelled", "no_show", "begun", "moved_by_hand"
    ]


class ChangedSeries(msgspec.Struct, kw_only=True):
    series_id: str
    version: int
    changed: list[Appointment]
    left: list[VisitLeft]


_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _since(text: str | None) -> date | str | None:
    """Raises Invalid."""
    if text is None:
        return None
    try:
        on = date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        try:
            return ids.canonical(text)
        except ValueError:
            why = "must be a date such as 2026-03-02, or the id of a visit"
            raise Invalid(FieldError("from", "invalid_value", why)) from None
    if on.year not in YEARS:
        raise Invalid(FieldError("from", "invalid_value", "the year is out of range"))
    return on


async def create(ask: Ask[NoFields, NewSeries]) -> Answer:
    body = ask.body
    for name in ("hold_id", "replaces_appointment_id"):
        if getattr(body, name) is not None:
            raise Invalid(FieldError(name, "invalid_value", "belongs to a booking of one visit"))
    check_notes(ask, body.notes)
    booked = every_date(booking(body), Recurs(body.rrule, frozenset(body.exdates)))
    errand = BookSeries(booking=booked, skip_conflicts=body.skip_conflicts)
    try:
        return await submitted(ask, errand)
    except Refused as refused:
        if refused.code != "series_conflict":
            raise
        raise await explained(ask.house, ask.asked, errand, refused) from None


async def get(ask: Ask[NoFields, Any]) -> Answer:
    organization, actor = ask.actor.organization_id, ask.actor
    async with snapshot(ask.house, organization) as reading:
        stored = await series.read(reading.connection, organization, ask.id())
        rows = await reading.connection.fetch(statement("series_visits"), organization, stored.id)
        found = await reading.gather(Need(visits={row["id"] for row in rows}))
    visits = sorted(found.facts.appointments or (), key=lambda visit: (visit.start, visit.id))
    seen_so = [(visit, appointment_view.sight(actor, visit)) for visit in visits]
    shown_so = [(visit, how) for visit, how in seen_so if how in ("whole", "own")]
    if not shown_so:
        raise NotFound("id")
    shown = Series(
        series_id=stored.id, clinic_id=stored.clinic_id, patient_id=stored.patient_id, rrule=stored.rrule,
        exdates=[str(each) for each in stored.exdates], version=stored.version,
        appointments=[
            appointment_view.shown(appointment_view.of_visit(visit, found.directory), how) for visit, how in shown_so
        ],
        skipped=[LeftOut(start=rfc3339(each.start), code=each.code) for each in stored.dates if each.code is not None],
        created_by=stored.created_by, created_at=rfc3339(stored.created_at), updated_at=rfc3339(stored.updated_at),
    )  # fmt: skip
    return Answer(shown, version=stored.version, seq=stored.seq)


async def change(ask: Ask[NoFields, SeriesChange]) -> Answer:
    body = ask.body
    wanted = Wanted(
        start=body.start, duration_minutes=body.duration_minutes, practitioner_id=body.practitioner_id,
        room_id=body.room_id, overlap_reason=reason_of(body.allow_overlap),
    )  # fmt: skip
    return Answer.of(await series.move(ask.house, ask.asked, ask.id(), _since(body.since), wanted, seen))


async def cancel(ask: Ask[NoFields, SeriesCancellation]) -> Answer:
    body = ask.body
    how = {name: getattr(body, name) for name in Cancellation.__struct_fields__}
    return Answer.of(await series.cancel(ask.house, ask.asked, ask.id(), _since(body.since), how, seen))


_ONE = "/api/v1/series/{id}"

ROUTES = (
    Route(
        "POST", "/api/v1/appointments/series", create, "appointments.write", "Book a visit on each date of a rule",
        body=NewSeries, answer=BookedSeries, status=201, refusals=("series_conflict", "time_conflict"), tag="series",
    ),
    Route(
        "GET", _ONE, get, "appointments.read", "A series: its rule and its visits", answer=Series, tag="series",
    ),
    Route(
        "PATCH", _ONE, change, "appointments.write", "Change a visit and those after it: all or none",
        body=SeriesChange, answer=ChangedSeries, refusals=("series_conflict", "version_mismatch", "time_conflict"),
        tag="series",
    ),
    Route(
        "POST", f"{_ONE}/cancel", cancel, "appointments.write", "Cancel a visit and those after it: all or none",
        body=SeriesCancellation, body_optional=True, answer=ChangedSeries,
        refusals=("series_conflict", "version_mismatch"), tag="series",
    ),
)  # fmt: skip
