"""What a refused booking is offered instead, tried by people: one after the other while nobody else writes, where each must
be bookable; and by several at once under load, where somebody may have been faster.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from holdfast.proof.history.log import Operation, Wish
from holdfast.proof.prove.bookings import WEEKS, Bookings, body
from holdfast.proof.prove.client import Client
from holdfast.proof.prove.organization import Organization
from holdfast.proof.prove.stage import asked_alone
from holdfast.proof.report import model
from holdfast.proof.report.figures import count

REFUSALS_TRIED = 6
DESKS = 3
_PATH = "/api/v1/appointments"
_PAUSE_SECONDS = 0.2
_ROWS_MAX = 20
_APART = timedelta(weeks=WEEKS + 8)
"""After the first day: what is offered instead is at most four weeks off, where no plan books anything."""


class NotBooked(NamedTuple):
    """Something that was offered and could not be booked: why not, as of which sequence it was offered, and as of which it was
    refused: whoever took it wrote in between."""

    code: str
    offered_seq: int
    refused_seq: int


class Alone:
    """Refusals asked for one after the other while no other writer runs; whatever each offers instead is booked and given
    back, so that the next is tried in the same state."""

    def __init__(self, of: Organization, admin: Client, bookings: Bookings) -> None:
        self._of, self._admin, self._bookings = of, admin, bookings
        self.operations: list[Operation] = []
        self.tried = self.booked = self.refusals = 0
        self.not_booked: list[NotBooked] = []

    def all(self) -> None:
        for number in range(REFUSALS_TRIED):
            refusal, wish = self._refused(number)
            for other in offered(refusal, wish):
                self._try(other, refusal.get("as_of_seq", 0))

    def _refused(self, number: int) -> tuple[dict[str, Any], Wish]:
        """A time filled up to the last room, and one person more: for any room, or for a room that is taken while others
        are free."""
        start, rooms = self._bookings.free_time(), len(self._of.rooms)
        is_named = number % 2 == 0
        taken = 1 if is_named else rooms
        for rival in range(taken):
            self._ask(self._bookings.at(start, rival, self._of.rooms[rival]).wishes[0])
        wish = self._bookings.at(start, taken, self._of.rooms[0] if is_named else None).wishes[0]
        operation, document = self._ask(wish)
        self.refusals += operation.status == 409
        return document, wish

    def _try(self, wish: Wish, as_of_seq: int) -> None:
        self.tried += 1
        operation, document = self._ask(wish)
        if operation.visit is None:
            self.not_booked.append(_taken(document, as_of_seq))
            return
        self.booked += 1
        back = given_back(self._admin, operation)
        self.operations += [] if back is None else [back]

    def _ask(self, wish: Wish) -> tuple[Operation, dict[str, Any]]:
        operation, document = asked_alone(self._admin, wish, _PATH, body(self._of, wish))
        self.operations.append(operation)
        return operation, document


class Desks:
    """Several people who want a time that is full, each booking at once what they are offered first, and giving it back. `tried` =
    `booked` + those that somebody else took."""

    def __init__(self, of: Organization, admin: Client, bookings: Bookings) -> None:
        self._of, self._over, self._lock = of, threading.Event(), threading.Lock()
        self._clients = [Client(admin.address, admin.token) for _ in range(DESKS)]
        self._full = of.first + _APART
        self.operations: list[Operation] = []
        self.tried = self.booked = 0
        self.not_booked: list[NotBooked] = []
        for number, room in enumerate(of.rooms):
            wish = bookings.at(self._full, number, room).wishes[0]
            self.operations.append(asked_alone(admin, wish, _PATH, body(of, wish))[0])

    @contextmanager
    def busy(self) -> Iterator[None]:
        """For as long as the block lasts."""
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(DESKS)]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self._over.set()
            for each in threads:
                each.join()
            for client in self._clients:
                client.close()

    def _work(self, desk: int) -> None:
        of, client, made = self._of, self._clients[desk], 0
        who = len(of.rooms) + desk
        while not self._over.wait(_PAUSE_SECONDS):
            made += 1
            wish = Wish(
                kind="book", key=f"desk-{desk}-{made}", patient_id=of.patients[who], practitioner_id=of.practitioners[who],
                start=self._full,
            )  # fmt: skip
            refused, document = asked_alone(client, wish, _PATH, body(of, wish))
            others = next(offered(document, wish), None) if refused.status == 409 else None
            answer = None if others is None else asked_alone(client, others, _PATH, body(of, others))
            back = None if answer is None else given_back(client, answer[0])
            with self._lock:
                self.operations += [refused] if back is None else [refused, back]
                if answer is not None:
                    self._noted(answer, document.get("as_of_seq", 0))

    def _noted(self, answer: tuple[Operation, dict[str, Any]], offered_seq: int) -> None:
        operation, document = answer
        self.operations.append(operation)
        self.tried += 1
        if operation.visit is None:
            self.not_booked.append(_taken(document, offered_seq))
        else:
            self.booked += 1


def offered(refusal: dict[str, Any], wish: Wish) -> Iterator[Wish]:
    """Every room at the same time, then every other time, as bookings of the same people."""
    alternatives = refusal.get("alternatives", {})
    for number, room in enumerate(alternatives.get("rooms", [])):
        yield instead(wish, f"room-{number}", room["room_id"], wish.start)
    for number, slot in enumerate(alternatives.get("slots", [])):
        start = datetime.fromisoformat(slot["start"])
        yield instead(wish, f"slot-{number}", slot["room_id"], start, slot["practitioner_id"])


def given_back(client: Client, booked: Operation) -> Operation | None:
    """The visit is cancelled, if there is one."""
    if booked.visit is None:
        return None
    cancel = Wish(kind="cancel", key=f"{booked.wish.key}-back", subject=booked.visit.id)
    return asked_alone(client, cancel, f"{_PATH}/{booked.visit.id}/cancel", None)[0]


def _taken(document: dict[str, Any], offered_seq: int) -> NotBooked:
    return NotBooked(str(document.get("code")), offered_seq, document.get("as_of_seq", 0))


def instead(
    wish: Wish, mark: str, room: str | None, start: datetime | None, practitioner: str | None = None
) -> Wish:
    """The same people's booking in another room or at another time."""
    return Wish(
        kind="book", key=f"{wish.key}-{mark}", patient_id=wish.patient_id,
        practitioner_id=practitioner or wish.practitioner_id, room_id=room, start=start,
    )  # fmt: skip


def table(name: str, title: str, of: list[NotBooked]) -> tuple[model.Table, ...]:
    """The first of those that could not be booked; no table if all could."""
    rows = tuple((code, count(before, 1), count(now, 1)) for code, before, now in of[:_ROWS_MAX])
    columns = ("refused with", "offered as of sequence", "refused as of sequence")
    return (model.Table(name=name, title=title, columns=columns, rows=rows),) if rows else ()
