"""What a batch does to claims, as the rows of its write: those that go, those that change seats, and new ones. A claim that
came or moved within the batch and goes or moves again leaves one row, or none.
"""

from collections.abc import Iterable

from holdfast.db.written import GoneClaim, MovedClaim, NewClaim
from holdfast.rules.timetable import Claim

HeldClaim = tuple[str, Claim]
"""A resource and a claim on it."""

_Place = tuple[str, int, int]
"""Where a claim is stored: resource, start, seat."""


class ClaimsKept:
    def __init__(self) -> None:
        self._gone: dict[_Place, GoneClaim] = {}
        self._moved: dict[_Place, MovedClaim] = {}
        """By the place where the claim is now."""

        self._new: dict[_Place, NewClaim] = {}

    def copy(self) -> "ClaimsKept":
        """The same rows, to go back to."""
        twin = ClaimsKept()
        twin._gone, twin._moved, twin._new = dict(self._gone), dict(self._moved), dict(self._new)
        return twin

    def take(self, claims: Iterable[HeldClaim]) -> None:
        for resource, claim in claims:
            place = (resource, claim.start, claim.seat)
            if self._new.pop(place, None) is None:
                moved = self._moved.pop(place, None)
                gone = GoneClaim(*place) if moved is None else GoneClaim(resource, claim.start, moved.seat)
                self._gone[gone] = gone

    def give(self, claims: Iterable[HeldClaim]) -> None:
        for resource, claim in claims:
            self._new[resource, claim.start, claim.seat] = NewClaim(
                resource, claim.seat, claim.start, claim.end, claim.kind, claim.owner
            )

    def move(self, resource: str, claims: Iterable[tuple[Claim, int]]) -> None:
        """Each to the seat beside it, all at once."""
        places = [((resource, claim.start, claim.seat), seat) for claim, seat in claims]
        new = [
            (self._new.pop(place, None), self._moved.pop(place, None), place, seat) for place, seat in places
        ]
        for given, moved, (_, start, was), seat in new:
            now = (resource, start, seat)
            if given is not None:
                self._new[now] = given._replace(seat=seat)
                continue
            stored = was if moved is None else moved.seat
            if stored != seat:
                self._moved[now] = MovedClaim(resource, start, stored, seat)

    @property
    def gone(self) -> list[GoneClaim]:
        return list(self._gone.values())

    @property
    def moved(self) -> list[MovedClaim]:
        return list(self._moved.values())

    @property
    def new(self) -> list[NewClaim]:
        return list(self._new.values())
