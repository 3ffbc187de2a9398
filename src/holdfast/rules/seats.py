"""Which seat of a resource a span gets, and who sits elsewhere so that it gets one.

A resource with N seats holds at most N at once: that is the law in storage, seat by seat. A span may find every seat
taken at some moment though never all at the same one; then the claims around it change seats.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from holdfast.rules.timetable import Claim, Timetable
from holdfast.slot import Span

CLAIMS_MAX: Final = 200
"""So many claims are seated anew at most."""


class Seating(NamedTuple):
    """The seat for a span, and the claims that leave their seat for another."""

    seat: int
    moved: tuple[tuple[Claim, int], ...] = ()


FIRST = Seating(0)


def seating(timetable: Timetable, resource: str, start: int, end: int, seats: int) -> Seating | None:
    """A seat for all of [start, end): the lowest that is free, or one that becomes free when others move. None exactly
    when at some moment all seats are taken.

    Raises KeyError for time that was not read. Of a resource with several seats a day more on each side must have been
    read, else claims that reach there do not move.
    """
    seat = timetable.free_seat(resource, start, end, seats)
    if seat is not None:
        return Seating(seat) if seat else FIRST
    return _anew(timetable, resource, start, end, seats) if seats > 1 else None


def most_at_once(spans: Iterable[Span], start: int, end: int) -> int:
    """The most of the spans at one moment of [start, end): of a resource that has so many seats, none is left."""
    there = [span for span in spans if span[0] < end and start < span[1]]
    moments = {max(start, span[0]) for span in there}
    return max((sum(span[0] <= moment < span[1] for span in there) for moment in moments), default=0)


class _Sitting(NamedTuple):
    """What stays together on one seat: a visit and its turnover."""

    start: int
    end: int
    seat: int
    claims: tuple[Claim, ...]


def _anew(timetable: Timetable, resource: str, start: int, end: int, seats: int) -> Seating | None:
    """Seats the group that overlaps the span, by start, each where it sat if that is free, else on the lowest free
    seat: as many seats are enough as are taken at most at once (interval partitioning, Kleinberg and Tardos 4.1)."""
    claims, low, high = timetable.around(resource, start, end)
    wanted = _Sitting(start, end, seats, ())
    group = _connected([*_sittings(claims), wanted], wanted)
    if sum(len(each.claims) for each in group) > CLAIMS_MAX or any(
        each.start < low or each.end > high for each in group
    ):
        return None
    taken_until = [low] * seats
    found, moved = 0, []
    for each in group:
        free = [seat for seat, until in enumerate(taken_until) if until <= each.start]
        if not free:
            return None
        seat = each.seat if each.seat in free else free[0]
        taken_until[seat] = each.end
        if each is wanted:
            found = seat
        elif seat != each.seat:
            moved += [(claim, seat) for claim in each.claims]
    return Seating(found, tuple(moved))


def _sittings(claims: list[Claim]) -> list[_Sitting]:
    """Claims of one owner on one seat that follow each other become one."""
    sittings: list[_Sitting] = []
    for claim in sorted(claims, key=lambda each: (each.owner, each.seat, each.start)):
        last = sittings[-1] if sittings else None
        if (
            last is not None
            and last.end == claim.start
            and last.seat == claim.seat
            and last.claims[-1].owner == claim.owner
        ):
            sittings[-1] = _Sitting(last.start, claim.end, last.seat, (*last.claims, claim))
        else:
            sittings.append(_Sitting(claim.start, claim.end, claim.seat, (claim,)))
    return sittings


def _connected(sittings: list[_Sitting], wanted: _Sitting) -> list[_Sitting]:
    """By start, those that overlap the wanted one, and those that overlap these, and so on."""
    group: list[_Sitting] = []
    until = 0
    for each in sorted(sittings, key=lambda each: each.start):
        if group and each.start >= until:
            if wanted in group:
                break
            group = []
        until = max(until, each.end) if group else each.end
        group.append(each)
    return group
