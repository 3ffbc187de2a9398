"""Visits as they were acknowledged, against each other and against what is stored. Pure.

A visit is followed by its versions, of which each acknowledged booking, move and cancellation made one. Versions in between
must be those of operations whose outcome is unknown: a history is whole only if everybody who writes is in it.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.proof.history.deeds import Deed, Finding, Seen, out_of_order
from holdfast.proof.history.log import BY_HAND, Visit, Wish
from holdfast.proof.history.stored import Stored

_FREE = frozenset({"cancelled", "no_show"})


class Course(NamedTuple):
    """What is known of one visit: its first known state if that was stored before the history began, the deeds that made a
    version, and those that may have made one."""

    visit_id: str
    before: Visit | None
    made: dict[int, Deed]
    unknown: list[Deed]

    def state(self, version: int) -> Visit | None:
        """The visit at a version; None if nobody was told."""
        if self.before is not None and self.before.version == version:
            return self.before
        deed = self.made.get(version)
        return None if deed is None else deed.visit


def courses(deeds: Iterable[Deed], stored: Stored, before: Stored) -> tuple[list[Course], list[Finding]]:
    """Every visit that is stored, was stored before or was acknowledged. One that nobody was told of is that of a booking of
    unknown outcome, if there is one for it."""
    found: dict[str, Course] = {}
    findings: list[Finding] = []
    bookings: list[Deed] = []

    def course(visit_id: str) -> Course:
        return found.setdefault(visit_id, Course(visit_id, before.visits.get(visit_id), {}, []))

    for deed in deeds:
        if deed.wish.kind in BY_HAND:
            continue
        if deed.visit is not None:
            made = course(deed.visit.id).made
            if deed.visit.version in made:
                twice = f"{made[deed.visit.version]} and {deed} both made version {deed.visit.version} of visit {deed.visit.id}."
                findings.append(Finding("version", twice))
            made[deed.visit.version] = deed
            if not _is_as_wished(deed.wish, deed.visit):
                findings.append(
                    Finding("answer", f"{deed} was answered with a visit that was not asked for.")
                )
        elif deed.wish.kind == "book":
            bookings.append(deed)
        else:
            course(deed.wish.subject).unknown.append(deed)
    for visit_id in before.visits:
        course(visit_id)
    for visit_id, visit in stored.visits.items():
        if course(visit_id).before is None and 1 not in found[visit_id].made:
            booking = next((deed for deed in bookings if _is_as_wished(deed.wish, visit)), None)
            if booking is not None:
                bookings.remove(booking)
                found[visit_id].unknown.append(booking)
    return list(found.values()), findings


def _is_as_wished(wish: Wish, visit: Visit) -> bool:
    asked = (
        (wish.patient_id, visit.patient_id), (wish.room_id, visit.room_id), (wish.start, visit.start),
        (wish.practitioner_id, visit.lines[0].practitioner_id), (wish.subject or None, visit.id),
    )  # fmt: skip
    is_cancelled = visit.status == "cancelled"
    return all(given in (None, has) for given, has in asked) and is_cancelled == (wish.kind == "cancel")


def check(courses: Iterable[Course], stored: Stored) -> Iterator[Finding]:
    """What was acknowledged is stored, what is stored was acknowledged or may have been, and versions follow time."""
    for course in courses:
        seen = [Seen((version, 0), deed.begin, deed.end, str(deed)) for version, deed in course.made.items()]
        yield from out_of_order(f"Visit {course.visit_id}", seen)
        visit = stored.visits.get(course.visit_id)
        if visit is not None:
            yield from _against(course, visit)
        elif course.made or course.before is not None:
            last = course.made[max(course.made)] if course.made else "before the history"
            yield Finding("lost", f"Visit {course.visit_id} was acknowledged ({last}) and is not stored.")


def _against(course: Course, visit: Visit) -> Iterator[Finding]:
    """One visit's acknowledged versions, and the version of it that is stored."""
    known = {*course.made} | ({course.before.version} if course.before is not None else set())
    last = max(known, default=0)
    if visit.version < last:
        yield Finding(
            "lost",
            f"{course.made.get(last, 'A read')} was told version {last} of visit {visit.id}, and {visit.version} is stored.",
        )
        return
    first = 1 if course.before is None else course.before.version
    untold = visit.version - first + 1 - len(known)
    if untold > len(course.unknown):
        yield Finding(
            "nowhere",
            f"Visit {visit.id} is stored at version {visit.version}; nobody was told of {untold} of its versions, "
            f"and {len(course.unknown)} operations on it are of unknown outcome.",
        )
    elif visit.version > last and not any(_is_as_wished(deed.wish, visit) for deed in course.unknown):
        yield Finding(
            "nowhere", f"Visit {visit.id} is stored as no operation of unknown outcome would have left it."
        )
    told = course.state(visit.version)
    if told is not None and told != visit:
        differing = [name for name in Visit.__struct_fields__ if getattr(told, name) != getattr(visit, name)]
        yield Finding(
            "differs",
            f"Visit {visit.id} at version {visit.version} is stored with another {', '.join(differing)} than "
            f"{course.made.get(visit.version, 'before the history')} was told.",
        )


class Held(NamedTuple):
    """A visit certainly had a resource from `start` until `end` of its schedule while time went from `since` to `until`."""

    start: datetime
    end: datetime
    since: float
    until: float
    who: str


def overlaps(courses: Iterable[Course], seats: dict[str, int]) -> Iterator[Finding]:
    """Where more visits had a resource than it has seats. A visit has what it was acknowledged, from its answer until
    something was sent that might have changed it: what else it may have had proves nothing."""
    taken: dict[str, list[Held]] = defaultdict(list)
    for course in courses:
        until = min((deed.begin for deed in course.unknown), default=math.inf)
        for _, deed in sorted(course.made.items(), reverse=True):
            if deed.visit is not None and deed.end < until:
                for resource, start, end in claimed(deed.visit):
                    taken[resource].append(Held(start, end, deed.end, until, str(deed)))
            until = min(until, deed.begin)
        if course.before is not None:
            who = f"visit {course.visit_id}, stored before"
            for resource, start, end in claimed(course.before):
                taken[resource].append(Held(start, end, -math.inf, until, who))
    for resource, held in taken.items():
        yield from _too_many(resource, seats.get(resource, 1), held)


def claimed(visit: Visit) -> list[tuple[str, datetime, datetime]]:
    """What a visit claims of whom: the patient and caregivers where present, each practitioner with travel and buffer, the
    room with its turnover; of a group's member the patient and the group."""
    if visit.status in _FREE:
        return []
    found: list[tuple[str, datetime, datetime]] = []
    for line in visit.lines:
        people = [visit.patient_id if line.patient_present else None, line.caregiver_id]
        found += [(person, line.start, line.end) for person in people if person]
        if visit.group_id is None:
            travel, buffer = (timedelta(minutes=n) for n in (line.travel_before_minutes, line.buffer_minutes))
            found.append((line.practitioner_id, line.start - travel, line.end + buffer))
    if visit.group_id is not None:
        found.append((visit.group_id, visit.start, visit.end))
    elif visit.room_id is not None:
        found.append((visit.room_id, visit.start, visit.end + timedelta(minutes=visit.turnover_minutes)))
    return _joined(sorted(found))


def _joined(spans: list[tuple[str, datetime, datetime]]) -> list[tuple[str, datetime, datetime]]:
    """Spans of one resource that touch, as one: nobody is in their own way."""
    found: list[tuple[str, datetime, datetime]] = []
    for resource, start, end in spans:
        if found and found[-1][0] == resource and start <= found[-1][2]:
            _, begun, until = found.pop()
            found.append((resource, begun, max(until, end)))
        else:
            found.append((resource, start, end))
    return found


def _too_many(resource: str, seats: int, held: list[Held]) -> Iterator[Finding]:
    """Goes through the schedule; of those who overlap with one there, were more than `seats` there at the same time?"""
    there: list[tuple[datetime, int, Held]] = []
    for number, each in enumerate(sorted(held)):
        while there and there[0][0] <= each.start:
            heapq.heappop(there)
        beside = [o for _, _, o in there if o.since < each.until and each.since < o.until]
        for moment in [each.since, *(o.since for o in beside if o.since > each.since)] if beside else []:
            others = [o for o in beside if o.since <= moment < o.until]
            if len(others) >= seats:
                who = " and ".join(sorted({each.who, *(o.who for o in others)}))
                yield Finding(
                    "overlap",
                    f"{who} all had resource {resource} at {each.start:%Y-%m-%d %H:%M}, which has room for {seats}.",
                )
                break
        heapq.heappush(there, (each.end, number, each))
