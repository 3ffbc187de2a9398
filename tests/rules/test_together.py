"""Several visits change on one desk, all or nothing: what is refused leaves the desk as it was, what is granted is what
each verb would have done with the others out of its way.
"""

from contextlib import suppress
from datetime import date
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.actor import Actor, Asked
from holdfast.commands.book import Book
from holdfast.commands.desk import Desk
from holdfast.commands.hold import PlaceHold
from holdfast.commands.line_wish import LineWish
from holdfast.commands.move import Move
from holdfast.commands.together import Change, Together
from holdfast.commands.transition import Transition
from holdfast.db.keeping import Keeping
from holdfast.errors import Refused
from holdfast.rules.facts import (
    Authorization,
    Clinic,
    Directory,
    DirectoryDocument,
    Facts,
    Hold,
    Organization,
    Patient,
    Practitioner,
    Room,
    Service,
    StoredCount,
    TimeOff,
    Visit,
)
from holdfast.rules.timetable import Timetable
from holdfast.settings import Settings
from holdfast.slot import DAY, MINUTE, instant

HOUR = 60 * MINUTE
NOW, TODAY = instant("2026-06-10T00:00:00Z"), date(2026, 6, 10)
PATIENTS, PRACTITIONERS, ROOMS = ("p0", "p1", "p2", "p3"), ("a0", "a1", "a2"), ("r0", "r1", "r2")
ASKED = Asked(
    actor=Actor(organization_id="o", user_id="u", session_id="s", email="", role="admin"),
    request_id="q",
    deadline=0.0,
)
NOTHING: frozenset[str] = frozenset()


def directory(away: tuple[TimeOff, ...] = ()) -> Directory:
    """Always open; the last room and practitioner have two seats each; half an hour's service takes a unit."""
    return Directory(
        DirectoryDocument(
            seq=1, directory_seq=1, organization=Organization("o", "", "UTC", {}), payers=[], closures=[],
            clinics=[Clinic("c", "", "UTC", allow_unassigned=False, is_active=True, hours=())],
            rooms=[Room(each, "c", each, "", "talk", 1, n // 2 + 1, NOTHING, NOTHING, 0, True, n)
                   for n, each in enumerate(ROOMS)],
            practitioners=[Practitioner(each, each, 0, n // 2 + 1, True, NOTHING, (), (), ())
                           for n, each in enumerate(PRACTITIONERS)],
            services=[Service("s", "", "S", 30, ("on_site",), "patient", NOTHING, NOTHING, 1, NOTHING, 0, "visit", 1,
                              True, True, shares_practitioner=True)],
            time_off=list(away),
        )
    )  # fmt: skip


def desk_on(
    timetable: Timetable, visits: list[Visit], authorizations: list[Authorization], **more: Any
) -> Desk:
    facts = Facts(
        seq=1, directory_seq=1, now=NOW, appointments=visits, authorizations=authorizations,
        patients=[Patient(each, each, "", NOTHING, True) for each in PATIENTS],
        counts=[
            StoredCount(each, TODAY, "b", "S", sum(line.units_reserved for v in visits if v.patient_id == each for line in v.lines))
            for each in PATIENTS
        ],
        counted_dates=[(each, TODAY, TODAY) for each in PATIENTS],
    )  # fmt: skip
    desk = Desk(Settings(), directory(**more), timetable, facts, Keeping("o", 1, NOW, cast("Any", None)))
    desk._asks_history = True  # as if a rule asked about earlier visits
    return desk


def book(visit: tuple[int, int, int, int]) -> Book:
    patient, practitioner, room, hour = visit
    return Book(
        clinic_id="c", patient=PATIENTS[patient], start=NOW + hour * 30 * MINUTE, room_id=ROOMS[room],
        first=LineWish(practitioner_id=PRACTITIONERS[practitioner], service_id="s"),
    )  # fmt: skip


def morning(wanted: list[tuple[int, int, int, int]], units: int = 9, **more: Any) -> Desk:
    """A desk on which as much as possible of what is wanted is stored, and half an hour is held."""
    timetable = Timetable(1)
    timetable.fill(
        {(each, NOW // DAY + n) for each in (*PATIENTS, *PRACTITIONERS, *ROOMS) for n in range(-2, 3)}, ()
    )
    approved = [
        Authorization(f"u{each}", each, "b", frozenset({"S"}), "visit", units, 0, 0, 0, date(2026, 1, 1),
                      date(2026, 12, 31), "approved", 1)
        for each in PATIENTS
    ]  # fmt: skip
    first = desk_on(timetable, [], approved)
    visits = []
    for each in wanted:
        try:
            visits.append(book(each).decide(first, ASKED))
        except Refused:
            continue
    with suppress(Refused):
        PlaceHold(booking=book((3, 2, 2, 1)), ttl_seconds=300).decide(first, ASKED)
    timetable.depart(1)
    timetable.arrive()
    return desk_on(timetable, visits, list(first.authorizations), **more)


def state(desk: Desk) -> Any:
    """Everything that a decision can change, in an order of its own."""
    claims, table = desk.claims, desk.timetable
    counted = {
        (room, start): table.visits_beginning(start, start + HOUR)[room]
        for room in ROOMS
        for start in range(NOW, NOW + 6 * HOUR, HOUR)
    }
    return (
        claimed(desk), counted, table.changes, table.held, set(desk._lifted), set(desk._together),
        [msgspec.to_builtins(each) for each in sorted(table.holds.values(), key=lambda hold: hold.id)],
        [msgspec.structs.astuple(each) for each in desk.authorizations],
        (claims.gone, claims.moved, claims.new), desk.keeping.events[:], desk.keeping.audit[:], desk.entries_new[:],
        (desk.appointments_new[:], desk.appointments_changed[:], desk.holds_new[:], desk.holds_ended[:]),
        (desk.lines_new[:], desk.lines_changed[:], desk.lines_gone[:]),
        {patient: dict(own) for patient, own in desk._pasts.items()}, dict(desk.grounds),
    )  # fmt: skip


def claimed(desk: Desk) -> set[tuple[Any, ...]]:
    everything = (*PATIENTS, *PRACTITIONERS, *ROOMS)
    return {
        (each, *claim)
        for each in everything
        for claim in desk.timetable.overlapping(each, NOW - DAY, NOW + DAY)
    }


def written(before: set[tuple[Any, ...]], desk: Desk) -> set[tuple[Any, ...]]:
    """What storage holds when the desk's rows are applied to what it held: gone first, then moved, then new."""
    by_place = {(resource, start, seat): (resource, start, end, seat, kind, owner)
                for resource, start, end, seat, kind, owner in before}  # fmt: skip
    for gone in desk.claims.gone:
        del by_place[gone.resource_id, gone.starts_at, gone.seat]
    moved = [(m, by_place.pop((m.resource_id, m.starts_at, m.seat))) for m in desk.claims.moved]
    for each, (resource, start, end, _, kind, owner) in moved:
        by_place[resource, start, each.seat_new] = (resource, start, end, each.seat_new, kind, owner)
    for new in desk.claims.new:
        place = (new.resource_id, new.starts_at, new.seat)
        assert place not in by_place, "two claims in one place"
        by_place[place] = (new.resource_id, new.starts_at, new.ends_at, new.seat, new.kind, new.owner_id)
    return set(by_place.values())


visits = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2), st.integers(0, 4)),
    min_size=2,
    max_size=9,
)


@st.composite
def changes(draw: Any, desk: Desk) -> Together:
    """Of some of the visits: another time, practitioner or room, or a cancellation; rarely of an old version."""
    found = []
    for visit in desk._visits.values():
        if not draw(st.integers(0, 3)):
            continue
        if not draw(st.integers(0, 4)):
            verb: Any = Transition(id=visit.id, call="cancel", cancelled_by="clinic")
        else:
            verb = Move(
                id=visit.id,
                start=draw(st.none() | st.integers(0, 4).map(lambda n: NOW + n * 30 * MINUTE)),
                practitioner_id=draw(st.none() | st.sampled_from(PRACTITIONERS)),
                room_id=draw(st.sampled_from(ROOMS)), is_planned=draw(st.booleans()),
            )  # fmt: skip
        found.append(Change(verb=verb, version=visit.version + (not draw(st.integers(0, 20)))))
    return Together(changes=tuple(found))


def refusal(desk: Desk, together: Together) -> Refused | None:
    try:
        together.carry_out(desk, ASKED, shown)
    except Refused as refused:
        return refused
    return None


@given(visits, st.integers(1, 3), st.data())
def test_what_is_refused_leaves_the_desk_as_it_was_and_what_is_granted_is_what_is_written(
    wanted: list[tuple[int, int, int, int]], units: int, data: Any
) -> None:
    desk = morning(wanted, units)
    stored = dict(desk._visits)
    together = data.draw(changes(desk))
    before, claims = state(desk), claimed(desk)
    refused = refusal(desk, together)
    if refused is not None:
        assert refused.code == "plan_outdated"
        assert refused.members["outdated"]
        assert state(desk) == before
        return
    after = claimed(desk)
    assert written(claims, desk) == after
    changed = {row.id: row for row in desk.appointments_changed}
    assert changed.keys() == {change.verb.id for change in together.changes}
    assert all(changed[each].version == stored[each].version + 1 for each in changed)
    cancelled = {each.id for each in changed.values() if each.status == "cancelled"}
    assert cancelled == {each.verb.id for each in together.changes if isinstance(each.verb, Transition)}
    kept = [visit for visit in stored.values() if visit.id not in cancelled]
    owned = sorted(each[5] for each in after if each[5] in stored)
    assert owned == sorted(3 * [visit.id for visit in kept]), "patient, practitioner and room, and no more"
    for who, start, end, seat, _, owner in after:
        beside = [c for c in after if c[0] == who and c[3] == seat and c[1] < end and start < c[2]]
        assert [c[5] for c in beside] == [owner], "two in one seat"
    for each in desk.authorizations:
        assert each.scheduled_units == sum(visit.patient_id == each.patient_id for visit in kept) <= units


def shown(visit: Visit, *_: Any) -> bytes:
    return msgspec.json.encode(visit.id)


def two() -> tuple[Desk, Visit, Visit]:
    desk = morning([(0, 0, 0, 0), (1, 0, 0, 1)])
    first, second = desk._visits.values()
    return desk, first, second


def test_visits_exchange_their_places() -> None:
    desk, first, second = two()
    before = claimed(desk)
    Together(changes=(
        Change(verb=Move(id=first.id, start=second.start), version=1),
        Change(verb=Move(id=second.id, start=first.start), version=1),
    )).carry_out(desk, ASKED, shown)  # fmt: skip
    rows = {row.id: row for row in desk.appointments_changed}
    assert (rows[first.id].starts_at, rows[second.id].starts_at) == (second.start, first.start)
    assert {row.room_id for row in rows.values()} == {"r0"}
    assert written(before, desk) == claimed(desk)


def test_one_after_the_other_they_could_not() -> None:
    desk, first, second = two()
    with pytest.raises(Refused, match="practitioner_conflict"):
        Move(id=first.id, start=second.start).decide(desk, ASKED)


def test_every_visit_that_does_not_fit_is_named_and_none_is_blamed_for_another() -> None:
    desk = morning([(0, 0, 0, 0), (1, 0, 0, 1), (2, 1, 1, 2), (3, 1, 1, 3)])
    first, second, third, fourth = desk._visits.values()
    before = state(desk)
    refused = refusal(desk, Together(changes=(
        Change(verb=Move(id=first.id, start=third.start, practitioner_id="a1"), version=1),
        Change(verb=Move(id=second.id, start=first.start), version=1),
        Change(verb=Transition(id=fourth.id, call="cancel"), version=2),
    )))  # fmt: skip
    assert refused is not None
    found = refused.members["outdated"]
    assert [(each["appointment_id"], [why["code"] for why in each["reasons"]]) for each in found] == [
        (first.id, ["practitioner_conflict"]), (fourth.id, ["version_mismatch"]),
    ]  # fmt: skip
    assert state(desk) == before


def test_a_hold_that_changed_seats_for_them_is_put_back_too() -> None:
    desk = morning([(0, 0, 2, 0), (1, 1, 2, 1), (2, 2, 1, 0), (0, 0, 0, 3)])
    _, beside_the_hold, longer, another = desk._visits.values()
    verbs: list[Move | Transition] = [
        Transition(id=beside_the_hold.id, call="cancel"),
        Move(id=longer.id, room_id="r2", end=longer.start + HOUR),
    ]
    planned = [Change(verb=verb, version=1) for verb in verbs]
    before, (hold,) = state(desk), desk.timetable.holds.values()
    late = Change(verb=Transition(id=another.id, call="cancel"), version=2)
    assert refusal(desk, Together(changes=(*planned, late))) is not None
    assert state(desk) == before
    assert seat_in_r2(hold) == 1
    assert refusal(desk, Together(changes=tuple(planned))) is None
    assert seat_in_r2(hold) == 0


def seat_in_r2(hold: Hold) -> int:
    (seat,) = (claim.seat for claim in hold.claims if claim.resource_id == "r2")
    return seat


def test_what_is_given_back_inside_an_absence_is_the_absences() -> None:
    away = TimeOff("t", "a0", NOW, NOW + 2 * HOUR)
    desk = morning([(0, 0, 0, 0), (1, 0, 0, 1)], away=(away,))
    first, second = desk._visits.values()
    before = claimed(desk)
    Together(changes=(
        Change(verb=Move(id=first.id, practitioner_id="a1"), version=1),
        Change(verb=Transition(id=second.id, call="cancel"), version=1),
    )).carry_out(desk, ASKED, shown)  # fmt: skip
    a0 = sorted(each[1:] for each in claimed(desk) if each[0] == "a0")
    assert a0 == [(start, start + 30 * MINUTE, 0, "time_off", "t") for start in (first.start, second.start)]
    assert written(before, desk) == claimed(desk)


def test_only_what_is_placed_anew_changes_together_and_once() -> None:
    with pytest.raises(ValueError, match="placed anew"):
        Change(verb=Move(id="v", notes="read"), version=1)
    with pytest.raises(ValueError, match="placed anew"):
        Change(verb=Transition(id="v", call="confirm"), version=1)
    twice = Change(verb=Transition(id="v", call="cancel"), version=1)
    with pytest.raises(ValueError, match="once"):
        Together(changes=(twice, twice))
