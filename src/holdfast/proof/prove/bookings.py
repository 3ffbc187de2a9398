"""The bookings that a scenario asks for. Pure: the same organization, token and seed give the same bytes. Each booking has a
key of its own, as a careful client sends it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

import msgspec

from holdfast.proof import driver
from holdfast.proof.history.log import Wish
from holdfast.proof.prove.organization import Organization

WEEKS = 26
DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Asked:
    """Requests in the order of sending, and what each of them asks for (of reads nothing is kept)."""

    requests: list[bytes] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.requests)

    def then(self, other: Self) -> Self:
        return replace(self, requests=self.requests + other.requests, wishes=self.wishes + other.wishes)


class Times:
    """Beginnings of visits, handed out in an order of chance and never twice. `minutes`: how far apart; `hours`: the hours of a
    weekday in which visits begin; None: around the clock, every day. `weeks`: the first and how many."""

    def __init__(
        self, first: datetime, minutes: int, seed: str, hours: Sequence[int] | None = None,
        weeks: tuple[int, int] = (0, WEEKS),
    ) -> None:  # fmt: skip
        self._first = first + timedelta(weeks=weeks[0])
        self._offsets = [
            day * DAY_MINUTES + at
            for day in range(7 * weeks[1])
            for at in range(0, DAY_MINUTES, minutes)
            if hours is None or (day % 7 < 5 and at // 60 in hours)
        ]
        random.Random(seed).shuffle(self._offsets)  # noqa: S311 - the same order for the same seed
        self._given = 0

    def next(self) -> datetime:
        self._given += 1
        return self._first + timedelta(minutes=self._offsets[self._given - 1])


class Bookings:
    """Plans for one organization. `name` begins its keys, so that several plans can be one history. `width`: how many visits
    begin at the same time, each in another room and of other people."""

    def __init__(
        self, organization: Organization, token: str, seed: int, name: str, *, width: int = 0, minutes: int = 0,
        hours: Sequence[int] | None = None, weeks: tuple[int, int] = (0, WEEKS),
    ) -> None:  # fmt: skip
        furniture = organization.furniture
        self._of, self._name = organization, name
        self._headers = {"host": organization.address.host_header, "authorization": f"Bearer {token}"}
        self._width = width or furniture.rooms
        self._times = Times(organization.first, minutes or furniture.minutes, f"{seed} {name}", hours, weeks)
        self._chance = random.Random(f"{seed} {name} wishes")  # noqa: S311 - the same wishes for the same seed
        self._made, self._booked = 0, 0
        self._start = organization.first

    def signed_as(self, token: str) -> Self:
        """From now on with this token."""
        self._headers = self._headers | {"authorization": f"Bearer {token}"}
        return self

    def planned(self, count: int) -> Asked:
        """Bookings that do not meet each other: as many at a time as there are rooms for, of different people."""
        asked = Asked()
        for _ in range(count):
            if self._booked % self._width == 0:
                self._start = self._times.next()
            self._add(asked, self._booked, self._start)
            self._booked += 1
        return asked

    def races(self, count: int, rivals: int, named_share: float = 0.4) -> Asked:
        """So many different people each time want the same time, some of them one of the first rooms, the others any: there are
        rooms for as many as there are rooms."""
        asked = Asked()
        rooms = self._of.rooms
        for _ in range(count):
            start = self._times.next()
            named = [n < named_share * rivals for n in range(rivals)]
            self._chance.shuffle(named)
            for rival in range(rivals):
                room = self._chance.choice(rooms[: max(1, len(rooms) // 3)]) if named[rival] else None
                self._add(asked, rival, start, room)
        return asked

    def at(self, start: datetime, rival: int, room: str | None = None) -> Asked:
        """One booking of the people of this number."""
        asked = Asked()
        self._add(asked, rival, start, room)
        return asked

    def free_time(self) -> datetime:
        """A time that no other plan of this organization uses."""
        return self._times.next()

    def _add(self, asked: Asked, who: int, start: datetime, room: str | None = None) -> None:
        of = self._of
        wish = Wish(
            kind="book", key=f"{self._name}-{self._made}", patient_id=of.patients[who % len(of.patients)],
            practitioner_id=of.practitioners[who % len(of.practitioners)], room_id=room, start=start,
        )  # fmt: skip
        self._made += 1
        asked.wishes.append(wish)
        asked.requests.append(
            driver.request(
                "POST",
                "/api/v1/appointments",
                self._headers | {"idempotency-key": wish.key},
                body(of, wish),
            )
        )


def body(of: Organization, wish: Wish) -> bytes:
    """What a booking's request carries."""
    start = wish.start or of.first
    return msgspec.json.encode({
        "clinic_id": of.clinic, "patient_id": wish.patient_id, "practitioner_id": wish.practitioner_id,
        "service_id": of.service, "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        **({} if wish.room_id is None else {"room_id": wish.room_id}),
    })  # fmt: skip
