"""An invented organization as data, before anything is loaded: documents of the API's own shapes, logins, visits and
what becomes of them. Built from a number and a moment alone; touches no database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from holdfast.api.authorizations import NewAuthorization
from holdfast.api.clinics import NewClinic
from holdfast.api.contacts import NewContact
from holdfast.api.patients import NewPatient
from holdfast.api.payers import NewPayer
from holdfast.api.practitioners import NewPractitioner
from holdfast.api.rooms import NewRoom
from holdfast.api.services import NewService
from holdfast.api.wire import decoded
from holdfast.commands.authorizations import AUTHORIZATION
from holdfast.commands.book import Book
from holdfast.commands.clinics import CLINIC
from holdfast.commands.contacts import CONTACT
from holdfast.commands.patients import PATIENT
from holdfast.commands.payers import PAYER
from holdfast.commands.practitioners import PRACTITIONER, with_clinics
from holdfast.commands.rooms import ROOM, with_cleaning
from holdfast.commands.save import Document, Noun, given
from holdfast.commands.services import SERVICE
from holdfast.rules import recurrence
from holdfast.seed.chance import Chance
from holdfast.slot import MINUTE, Span, local_date, wall

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _room(fields: Document) -> Document:
    return {"color": None} | with_cleaning(fields)


def _authorization(fields: Document) -> Document:
    return fields | {"approval": "pending" if fields.pop("status") == "pending" else "approved"}


def _as_given(fields: Document) -> Document:
    return fields


Shape = tuple[Noun, type[msgspec.Struct], Callable[[Document], Document]]

SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "clinic": (CLINIC, NewClinic, _as_given),
        "room": (ROOM, NewRoom, _room),
        "practitioner": (PRACTITIONER, NewPractitioner, with_clinics),
        "service": (SERVICE, NewService, _as_given),
        "payer": (PAYER, NewPayer, _as_given),
        "contact": (CONTACT, NewContact, _as_given),
        "patient": (PATIENT, NewPatient, _as_given),
        "authorization": (AUTHORIZATION, NewAuthorization, _authorization),
    }
)
"""What a request's body is decoded by and becomes: an invented document is held to what a client's is."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """Somebody who signs in; the address is `word`@ the organization's domain."""

    role: str
    word: str
    name: str
    practitioner_id: str | None = None
    patient_id: str | None = None
    contact_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A call on a visit after it was booked, and when it happened."""

    call: str
    at: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """The time of a group, which all visits with an equal one are members of."""

    clinic_id: str
    practitioner_id: str
    service_id: str
    start: int
    end: int
    members_min: int
    members_max: int


@dataclass(kw_only=True)
class Planned:
    """A visit to book, its end, and what follows. One that is kept is not called off; one with a note is signed."""

    book: Book
    end: int
    gathering: Gathering | None = None
    steps: list[Step] = field(default_factory=list)
    is_kept: bool = False
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the visit will still be to come or under way."""
        return not any(step.call in {"complete", "cancel", "no-show"} for step in self.steps)


@dataclass(frozen=True, kw_only=True)
class Absence:
    """A closure of a clinic or room, or a practitioner's time off; `why`: the reason, or the kind of time off."""

    of: Literal["clinic", "room", "practitioner"]
    id: str
    start: int
    end: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """Time of some people, and maybe of a room, that is no visit; every week again as `rrule` says, in `time_zone`."""

    kind: str
    practitioner_ids: Sequence[str]
    room_id: str | None
    start: int
    end: int
    label: str
    rrule: str
    time_zone: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The rules of a clinic, to be tried."""

    clinic_id: str
    rules: list[Document]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A break-glass request that waits for a second person; `word`: that of the login that asks."""

    word: str
    patient_id: str
    minutes: int
    justification: str


class World:
    """One organization. `now`: the moment that past and future are told by, epoch seconds."""

    def __init__(self, chance: Chance, now: int, name: str, domain: str, time_zone: str) -> None:
        self.chance = chance
        self.now = now
        self.name = name
        self.domain = domain
        self.time_zone = time_zone
        self.documents: list[tuple[str, Document]] = []
        self.logins: list[Login] = []
        self.used_units: list[tuple[str, int]] = []
        """Units of an authorization that were consumed before this calendar begins."""
        self.visits: list[Planned] = []
        self.absences: list[Absence] = []
        self.blocks: list[Block] = []
        self.holds: list[Book] = []
        self.series: list[tuple[Book, str]] = []
        """The booking of a first date, and the rule by which it is given again."""
        self.proposals: list[Proposal] = []
        """Policies that are saved and not in force."""
        self.asking: Asking | None = None

    def block(
        self, kind: str, label: str, practitioners: Sequence[str], time_zone: str, weekdays: Sequence[int],
        minutes: Span, days: tuple[int, int], room: str | None = None,
    ) -> None:  # fmt: skip
        """Some of the staff are taken on weekdays between two minutes of the day, on the dates between two days from
        today."""
        found = [
            on
            for day in range(days[0], days[1] + 1)
            if (on := self.today(time_zone) + timedelta(days=day)).weekday() in weekdays
        ]
        rule = f"FREQ=WEEKLY;BYDAY={','.join(_DAYS[each] for each in weekdays)};COUNT={len(found)}"
        self.blocks.append(Block(
            kind=kind, practitioner_ids=sorted(practitioners), room_id=room, label=label, rrule=rule,
            start=wall(found[0], minutes[0], time_zone), end=wall(found[0], minutes[1], time_zone),
            time_zone=time_zone,
        ))  # fmt: skip

    def busy(self, practitioner: str) -> list[Span]:
        """When a practitioner has visits and blocks."""
        found = [
            ((line.start or each.book.start) - line.travel_before_minutes * MINUTE, line.end or each.end)
            for each in self.visits
            for _, line in each.book.lines
            if line.practitioner_id == practitioner
        ]
        for block in self.blocks:
            if practitioner in block.practitioner_ids:
                found += recurrence.spans(block.rrule, (block.start, block.end), block.time_zone)
        return found

    def add(self, kind: str, is_active: bool = True, **fields: Any) -> Document:
        """A new document, checked as a request's body would be; its id is chosen here."""
        _, shape, finished = SHAPES[kind]
        checked = given(msgspec.convert(fields, shape, dec_hook=decoded))
        document = finished(checked) | {"id": self.chance.new_id(), "is_active": is_active}
        self.documents.append((kind, document))
        return document

    def all(self, kind: str) -> list[Document]:
        return [document for name, document in self.documents if name == kind]

    def by_id(self, kind: str) -> dict[str, Document]:
        return {document["id"]: document for document in self.all(kind)}

    def today(self, time_zone: str | None = None) -> date:
        return local_date(self.now, time_zone or self.time_zone)

    def email(self, login: Login) -> str:
        return f"{login.word}@{self.domain}"
