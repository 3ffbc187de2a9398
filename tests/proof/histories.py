"""Right histories, made by a sequential model of a clinic whose operations take effect one after the other while their
sending and answering overlap at random. Some answers are lost, some requests are tried again.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from holdfast.proof.history.log import Counters, Kind, Line, Operation, Refusal, Visit, Wish
from holdfast.proof.history.stored import Entry, Stored
from holdfast.proof.history.visits import claimed

_NINE = datetime(2030, 1, 7, 9, tzinfo=UTC)
_OVERLAP = 3.0
"""Of how many operations in a row the sending and answering may overlap."""
UNITS = 2
"""What a funded visit holds."""
Span = tuple[str, datetime, datetime]


@dataclass
class Clinic:
    """The model. `seats`: of its first room, which two visits may share. At time n the n-th operation has its effect."""

    chance: random.Random
    stored: Stored = field(default_factory=Stored)
    operations: list[Operation] = field(default_factory=list)
    answers: dict[str, tuple[Wish, Operation]] = field(default_factory=dict)
    now: int = 0
    lost_share: float = 0.1

    def __post_init__(self) -> None:
        self.stored.seats["room-0"] = 2
        for number in range(2):
            name = f"authorization-{number}"
            self.stored.authorizations[name] = Counters(
                id=name, version=1, total_units=30, used_units=0, scheduled_units=0, manual_units=0
            )

    def go_on(self, count: int) -> "Clinic":
        for _ in range(count):
            self.step(self._wish())
        return self

    def step(self, wish: Wish) -> None:
        """One wish: what becomes of it, and what its client sees."""
        self.now += 1
        begin = self.now - self.chance.random() * _OVERLAP
        end = self.now + self.chance.random() * _OVERLAP
        earlier = self.answers.get(wish.key)
        seen = earlier[1] if earlier is not None else self._decided(wish)
        if earlier is None and wish.key and seen.outcome == "ok":
            self.answers[wish.key] = (wish, seen)
        if self.chance.random() < self.lost_share:
            self.operations.append(Operation(wish=wish, begin=begin))
            return
        kept = {name: getattr(seen, name) for name in ("status", "visit", "counters", "refusal", "digest")}
        self.operations.append(Operation(wish=wish, begin=begin, end=end, **kept))

    def _wish(self) -> Wish:
        chance = self.chance
        asked = [each.wish for each in self.operations if each.wish.key]
        if asked and chance.random() < 0.1:
            return chance.choice(asked)
        key = f"key-{self.now}" if chance.random() < 0.7 else ""
        if chance.random() < 0.5:
            kind: Kind = chance.choice(["reserve", "reserve", "release", "consume"])
            units = chance.randint(1, 8)
            more = units + chance.randint(0, 3) if kind == "consume" and chance.random() < 0.5 else None
            subject = chance.choice(list(self.stored.authorizations))
            return Wish(kind=kind, key=key, subject=subject, units=units, of_reserved=more)
        room, practitioner = f"room-{chance.randrange(2)}", f"practitioner-{chance.randrange(3)}"
        start = _NINE + timedelta(minutes=15 * chance.randrange(24))
        # Only of a visit whose booking was answered does anybody know the id.
        told = [each.visit.id for each in self.operations if each.visit is not None]
        kind = chance.choice(["book", "book", "move", "cancel"]) if told else "book"
        if kind == "book":
            return Wish(
                kind="book", key=key, patient_id=f"patient-{chance.randrange(4)}", practitioner_id=practitioner,
                room_id=room, start=start,
            )  # fmt: skip
        if kind == "move":
            return Wish(kind="move", key=key, subject=chance.choice(told), room_id=room, start=start)
        return Wish(kind="cancel", key=key, subject=chance.choice(told))

    def _decided(self, wish: Wish) -> Operation:
        if wish.kind in ("book", "move", "cancel"):
            return self._visit(wish)
        return self._by_hand(wish)

    def _by_hand(self, wish: Wish) -> Operation:
        at, needed = self.stored.authorizations[wish.subject], wish.of_reserved or wish.units
        there = at.available if wish.kind == "reserve" else at.manual_units
        if there < needed:
            is_reserve = wish.kind == "reserve"
            refusal = Refusal(
                code="insufficient_units" if is_reserve else "units_not_reserved", authorization_id=at.id,
                version=at.version, available=at.available, reserved=None if is_reserve else there, requested=needed,
            )  # fmt: skip
            return Operation(wish=wish, begin=0, status=409, refusal=refusal)
        self.enter(wish.subject, wish.kind, wish.units, None)
        if needed > wish.units:
            self.enter(wish.subject, "release", needed - wish.units, None)
        return Operation(
            wish=wish, begin=0, status=200, counters=self.stored.authorizations[wish.subject], digest=self.now
        )

    def enter(self, authorization: str, kind: str, units: int, visit: str | None) -> None:
        """One ledger entry, and the counters after it."""
        was = self.stored.authorizations[authorization]
        promised = units if kind == "reserve" else -units
        now = Counters(
            id=was.id, version=was.version + 1, total_units=was.total_units,
            used_units=was.used_units + (units if kind == "consume" else 0),
            scheduled_units=was.scheduled_units + promised,
            manual_units=was.manual_units + (promised if visit is None else 0),
        )  # fmt: skip
        self.stored.authorizations[authorization] = now
        self.stored.entries.append(Entry(
            authorization_id=authorization, entry_no=now.version, kind=kind, units=units, is_manual=visit is None,
            appointment_id=visit, seq=len(self.stored.entries) + 1,
        ))  # fmt: skip

    def _visit(self, wish: Wish) -> Operation:
        before = self.stored.visits.get(wish.subject)
        if before is not None and before.status == "cancelled":
            return self._refused(wish, Refusal(code="illegal_transition"))
        after = self._wished(wish, before)
        if wish.kind != "cancel" and not self._is_free(after):
            return self._refused(wish, Refusal(code="room_conflict"))
        authorization = after.lines[0].authorization_id
        if before is None and authorization is not None:
            at = self.stored.authorizations[authorization]
            if at.available < UNITS:
                return self._refused(wish, Refusal(
                    code="insufficient_units", authorization_id=at.id, version=at.version, available=at.available,
                    requested=UNITS,
                ))  # fmt: skip
            self.enter(authorization, "reserve", UNITS, after.id)
        elif wish.kind == "cancel" and authorization is not None:
            self.enter(authorization, "release", UNITS, after.id)
        self.stored.visits[after.id] = after
        status = 201 if before is None else 200
        return Operation(wish=wish, begin=0, status=status, visit=after, digest=self.now)

    def _refused(self, wish: Wish, refusal: Refusal) -> Operation:
        return Operation(wish=wish, begin=0, status=409, refusal=refusal)

    def _wished(self, wish: Wish, before: Visit | None) -> Visit:
        start = wish.start or (before.start if before else _NINE)
        line = before.lines[0] if before else None
        is_funded = line.authorization_id is not None if line else self.chance.random() < 0.5
        authorization = line.authorization_id if line else self.chance.choice([*self.stored.authorizations])
        is_cancel = wish.kind == "cancel"
        end = start + timedelta(minutes=30)
        return Visit(
            id=before.id if before else f"visit-{self.now}", version=before.version + 1 if before else 1,
            status="cancelled" if is_cancel else "scheduled", start=start, end=end,
            patient_id=before.patient_id if before else str(wish.patient_id),
            room_id=before.room_id if is_cancel and before else wish.room_id, turnover_minutes=10,
            lines=(Line(
                line_no=1, practitioner_id=line.practitioner_id if line else str(wish.practitioner_id), start=start,
                end=end, buffer_minutes=5, authorization_id=authorization if is_funded else None,
                units_reserved=UNITS if is_funded and not is_cancel else 0,
            ),),
        )  # fmt: skip

    def _is_free(self, visit: Visit) -> bool:
        others = [s for each in self.stored.visits.values() if each.id != visit.id for s in claimed(each)]
        return all(_depth(span, others) < self.stored.seats.get(span[0], 1) for span in claimed(visit))


def _depth(span: Span, others: list[Span]) -> int:
    """How many there are at most at one time."""
    resource, start, end = span
    beside = [(s, e) for r, s, e in others if r == resource and s < end and start < e]
    moments = [start, *(s for s, _ in beside if s > start)]
    return max(sum(s <= moment < e for s, e in beside) for moment in moments)
