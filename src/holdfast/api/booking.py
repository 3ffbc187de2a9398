"""What a booking's body asks for: shared by booking, holding and the lines of a visit."""

from typing import Annotated, Any, Literal, Protocol

import msgspec

from holdfast.api.door import Ask
from holdfast.api.wire import Id, Instant
from holdfast.commands.book import Book
from holdfast.commands.join import LINES_MAX
from holdfast.commands.line_wish import LineWish
from holdfast.errors import FieldError, Invalid
from holdfast.rules import caps, units

Location = Literal["on_site", "home", "school", "community", "telehealth"]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]
Tail = Annotated[int, msgspec.Meta(ge=0, le=120)]


class Overlap(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """That a practitioner who can have several visits at once shall have this one beside another, and why."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Acknowledging(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What shall be so although the payer warns of it: that units are not approved, or go beyond a cap."""

    acknowledge_unfunded: bool = False
    acknowledge_cap: bool = False


class LineBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who gives what, and when within the visit. No start: the visit's. No end: the service's duration, within the visit.
    `patient_present` is for services that leave it open; `caregiver_id`: the contact who takes part."""

    practitioner_id: Id
    service_id: Id
    start: Instant | None = None
    end: Instant | None = None
    duration_minutes: Minutes | None = None
    patient_present: bool | None = None
    authorization_id: Id | None = None
    billable: bool = True
    caregiver_id: Id | None = None
    travel_before_minutes: Tail = 0


class Booking(Acknowledging, kw_only=True):
    """Whom, with whom, for what, where and when. No end: the service's duration. No room: one is chosen. The fields of
    the visit itself are its first line; `lines` are those beside or after it (one that repeats its practitioner, service
    and start is the first line). `hold_id`: the hold that the booking uses up."""

    clinic_id: Id
    patient_id: Id
    practitioner_id: Id
    service_id: Id
    start: Instant
    end: Instant | None = None
    duration_minutes: Minutes | None = None
    location: Location | None = None
    room_id: Id | None = None
    authorization_id: Id | None = None
    notes: str | None = None
    replaces_appointment_id: Id | None = None
    allow_overlap: Overlap | None = None
    hold_id: Id | None = None
    caregiver_id: Id | None = None
    travel_before_minutes: Tail = 0
    lines: Annotated[list[LineBody], msgspec.Meta(max_length=LINES_MAX)] = []


class GroupBooking(Booking, kw_only=True):
    """`group_id`: the group that the patient joins, whose clinic, practitioner, service, time and place it must be."""

    group_id: Id | None = None


def booking(wanted: Booking) -> Book:
    """The booking that a body asks for. Raises Invalid naming the field."""
    first = LineWish(
        practitioner_id=wanted.practitioner_id, service_id=wanted.service_id, end=wanted.end,
        duration_minutes=wanted.duration_minutes, authorization_id=wanted.authorization_id,
        caregiver_id=wanted.caregiver_id, travel_before_minutes=wanted.travel_before_minutes,
    )  # fmt: skip
    check_length(wanted.end, wanted.duration_minutes, "")
    others: tuple[tuple[str, LineWish], ...] = ()
    if wanted.lines:
        first, others = _with_lines(wanted, first)
    return Book(
        clinic_id=wanted.clinic_id, patient=wanted.patient_id, start=wanted.start, first=first,
        others=others, location=wanted.location,
        room_id=wanted.room_id, notes=wanted.notes, replaces_appointment_id=wanted.replaces_appointment_id,
        overlap_reason=reason_of(wanted.allow_overlap), hold=wanted.hold_id, acknowledged=acknowledged(wanted),
    )  # fmt: skip


def _with_lines(wanted: Booking, first: LineWish) -> tuple[LineWish, tuple[tuple[str, LineWish], ...]]:
    """The first line, as the first of `lines` says it if that is the visit's own, and the others by their fields' names."""
    lines = [(f"lines[{n}].", line) for n, line in enumerate(wanted.lines)]
    for field, line in lines:
        check_length(line.end, line.duration_minutes, field)
    if _repeats(wanted, lines[0][1]):
        own = msgspec.structs.asdict(lines.pop(0)[1])
        first = msgspec.structs.replace(
            first, **{name: value for name, value in own.items() if value is not None}
        )
    return first, tuple((field, line_wish(line)) for field, line in lines)


def _repeats(wanted: Booking, line: LineBody) -> bool:
    """Whether the first of the lines is the visit's own."""
    return (line.practitioner_id, line.service_id, line.start or wanted.start) == (
        wanted.practitioner_id,
        wanted.service_id,
        wanted.start,
    )


def line_wish(line: LineBody) -> LineWish:
    return LineWish(
        practitioner_id=line.practitioner_id, service_id=line.service_id, start=line.start, end=line.end,
        duration_minutes=line.duration_minutes, patient_present=line.patient_present,
        authorization_id=line.authorization_id, billable=line.billable, caregiver_id=line.caregiver_id,
        travel_before_minutes=line.travel_before_minutes,
    )  # fmt: skip


def check_length(end: int | None, duration_minutes: int | None, field: str) -> None:
    if end is not None and duration_minutes is not None:
        raise Invalid(
            FieldError(f"{field}duration_minutes", "invalid_value", "give an end or a duration, not both")
        )


def check_notes(ask: Ask[Any, Any], notes: object) -> None:
    most = ask.house.settings.notes_characters_max
    if isinstance(notes, str) and len(notes) > most:
        raise Invalid(FieldError("notes", "invalid_value", f"may have {most} characters"))


class _Acknowledging(Protocol):
    """What has the fields of Acknowledging."""

    acknowledge_unfunded: bool
    acknowledge_cap: bool


def acknowledged(body: _Acknowledging) -> frozenset[str]:
    """The fields by which a request acknowledges something."""
    if not (body.acknowledge_unfunded or body.acknowledge_cap):
        return frozenset()
    return frozenset(name for name in (units.ACKNOWLEDGE, caps.ACKNOWLEDGE) if getattr(body, name))


def reason_of(overlap: Overlap | None) -> str | None:
    return None if overlap is None else overlap.reason
