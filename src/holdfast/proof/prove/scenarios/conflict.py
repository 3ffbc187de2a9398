"""Room conflicts: many want the same few rooms at the same time. As many get one as there are rooms, the others are told why
not and what could be had instead.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from holdfast.proof.history.log import Operation, Wish
from holdfast.proof.prove.bookings import Bookings, body
from holdfast.proof.prove.client import Client
from holdfast.proof.prove.organization import Furniture, Organization
from holdfast.proof.prove.seen import Seen, double_bookings, named, threshold, timing
from holdfast.proof.prove.stage import About, Scale, Stage, asked_alone, furnished, scenario
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, share

ABOUT = About(
    name="conflict", title="Room conflicts", reference="000 and 001, scenario 2",
    purpose="Fifty want each time at once, and there are ten rooms: nobody gets a room twice, and everybody else is told "
    "what is free.",
    asked="50 users, 10 rooms, 10 more users each second, 2 minutes, overlapping times",
)  # fmt: skip
FURNITURE = Furniture(name="conflict", patients=60)
RIVALS = 50
DETECTION_P95_MS = 50
_REFUSALS_TRIED = 12
_PATH = "/api/v1/appointments"


def run(stage: Stage, scale: Scale) -> model.Scenario:
    began = datetime.now(UTC)
    with stage.organization(FURNITURE) as of, of.signed_in() as admin:
        bookings = Bookings(of, admin.token, stage.seed, ABOUT.name)
        with stage.watching() as watch:
            seen = stage.load(lambda n: bookings.races(-(-n // RIVALS), RIVALS), scale, status=201, also=409)
        stage.say("trying what was offered instead")
        tried = _Tried(of, admin, bookings)
        tried.all()
        operations = seen.operations + tried.operations
        checked = stage.checked([of], operations)
    races = seen.planned // RIVALS
    detected = timing("conflict", "a booking that was refused, from when it was due", seen.latencies(409))
    doubles = double_bookings(seen.operations)
    roomless = _without_room(seen)
    failed = seen.error_rate()
    latency = detected.distribution
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, data=furnished(of),
        timings=[detected, timing("booking", "a booking that was granted, from when it was due", seen.latencies(201))],
        windows=[model.Window(what="times that fifty people wanted", rows=races)],
        floors=[
            model.Floor(what="visits, as many as there are rooms at each time", least=races * FURNITURE.rooms,
                        reached=seen.granted),
            model.Floor(what="bookings refused because all rooms were taken", least=races, reached=seen.refused),
            model.Floor(what="alternatives tried while nobody else wrote", least=_REFUSALS_TRIED, reached=tried.tried),
        ],
        figures=[
            named("conflicts_detected", "bookings refused for a room or a time", count(seen.refused, max(1, seen.offered))),
            named("alternative_rooms_assigned", "rooms and times offered instead, and then booked",
                  count(tried.booked, max(1, tried.tried))),
            named("alternatives_tried", "rooms and times offered instead, and tried", count(tried.tried, max(1, tried.refusals))),
            named("detection_mean", "a refusal, mean", latency.mean),
            named("detection_p95", "a refusal, p95", latency.p95),
            named("double_bookings", "visits that were given a room already taken", doubles),
            named("visits_without_rooms", "visits granted without a room", roomless),
            named("refused_share", "bookings refused by a rule", share(seen.refused, seen.offered)),
            named("error_rate", "bookings neither granted nor refused by a rule", failed),
            named("deadlocks", "deadlocks in the database", watch.deadlocks),
        ],
        thresholds=[
            threshold("double_bookings", "rooms given twice", "exactly", 0, "count", doubles, ABOUT.reference, is_law=True),
            threshold("detection_p95", "a refusal, p95", "below", DETECTION_P95_MS, "ms", latency.p95, ABOUT.reference),
            threshold("alternatives_bookable", "offered instead and bookable, while nobody else writes", "exactly", 100, "%",
                      share(tried.booked, tried.tried), "proof.md: conflict", source="ours", is_law=True),
            threshold("failed", "bookings that failed, where all rooms are taken", "exactly", 0, "%", failed, ABOUT.reference),
        ],
        tables=_of_stale(tried),
    )  # fmt: skip


def _without_room(seen: Seen) -> model.Figure:
    visits = [each.visit for each in seen.operations if each.visit is not None]
    return count(sum(each.room_id is None for each in visits), max(1, len(visits)))


class _Tried:
    """Refusals asked for one after the other while no other writer runs; whatever each offers instead is booked and given
    back, so that the next is tried in the same state."""

    def __init__(self, of: Organization, admin: Client, bookings: Bookings) -> None:
        self._of, self._admin, self._bookings = of, admin, bookings
        self.operations: list[Operation] = []
        self.tried = self.booked = self.refusals = 0
        self.not_booked: list[tuple[str, int, int]] = []

    def all(self) -> None:
        for number in range(_REFUSALS_TRIED):
            refusal, wish = self._refused(number)
            for other in self._offered(refusal, wish):
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

    def _offered(self, refusal: dict[str, Any], wish: Wish) -> Iterator[Wish]:
        alternatives = refusal.get("alternatives", {})
        for number, room in enumerate(alternatives.get("rooms", [])):
            yield _instead(wish, f"room-{number}", room["room_id"], wish.start)
        for number, slot in enumerate(alternatives.get("slots", [])):
            start = datetime.fromisoformat(slot["start"])
            yield _instead(wish, f"slot-{number}", slot["room_id"], start, slot["practitioner_id"])

    def _try(self, wish: Wish, as_of_seq: int) -> None:
        self.tried += 1
        operation, document = self._ask(wish)
        if operation.visit is None:
            self.not_booked.append((str(document.get("code")), as_of_seq, document.get("as_of_seq", 0)))
            return
        self.booked += 1
        cancel = Wish(kind="cancel", key=f"{wish.key}-back", subject=operation.visit.id)
        given_back, _ = asked_alone(self._admin, cancel, f"{_PATH}/{operation.visit.id}/cancel", None)
        self.operations.append(given_back)

    def _ask(self, wish: Wish) -> tuple[Operation, dict[str, Any]]:
        operation, document = asked_alone(self._admin, wish, _PATH, body(self._of, wish))
        self.operations.append(operation)
        return operation, document


def _instead(
    wish: Wish, mark: str, room: str | None, start: datetime | None, practitioner: str | None = None
) -> Wish:
    return Wish(
        kind="book", key=f"{wish.key}-{mark}", patient_id=wish.patient_id,
        practitioner_id=practitioner or wish.practitioner_id, room_id=room, start=start,
    )  # fmt: skip


def _of_stale(tried: _Tried) -> tuple[model.Table, ...]:
    """Those that could not be booked, with the sequence as of which they were offered and that which took them."""
    rows = tuple(
        (code, count(before, 1), count(now, 1)) for code, before, now in tried.not_booked
    )  # fmt: skip
    columns = ("refused with", "offered as of sequence", "refused as of sequence")
    return (
        (model.Table(name="not_bookable", title="Offered, and not bookable", columns=columns, rows=rows),)
        if rows
        else ()
    )
