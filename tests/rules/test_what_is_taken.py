"""What a visit takes is a function of its lines: who is there is claimed once for all of it, and who is not is not."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from holdfast.rules.facts import Line, Visit
from holdfast.rules.lines import busy_span, caregivers, doubled, presence, set_tails, taken
from holdfast.slot import MINUTE, overlaps, union

BUFFERS = {"ana": 0, "ben": 15, "cleo": 40}
QUARTER = 15 * MINUTE


@st.composite
def visits(draw: st.DrawFn) -> Visit:
    lines = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        start = draw(st.integers(0, 12)) * QUARTER
        lines.append(
            Line(
                line_no=number, practitioner_id=draw(st.sampled_from(sorted(BUFFERS))), service_id="s", start=start,
                end=start + draw(st.integers(1, 6)) * QUARTER, patient_present=draw(st.booleans()),
                travel_before_minutes=draw(st.sampled_from((0, 10, 60))),
                caregiver_id=draw(st.sampled_from((None, "rosa", "hugo"))),
            )
        )  # fmt: skip
    set_tails(lines, BUFFERS)
    return Visit(
        id="v", clinic_id="c", patient_id="pat", room_id=draw(st.sampled_from((None, "room"))), location="on_site",
        start=min(line.start for line in lines), end=max(line.end for line in lines), status="scheduled", lines=lines,
        turnover_minutes=draw(st.sampled_from((0, 10))),
    )  # fmt: skip


def minutes(spans: list[tuple[int, int]]) -> set[int]:
    return {minute for start, end in spans for minute in range(start, end, MINUTE)}


def claimed(visit: Visit, who: str) -> list[tuple[int, int]]:
    return [(each.start, each.end) for each in taken(visit) if each.resource_id == who]


@given(visits())
def test_the_patient_is_claimed_once_where_present(visit: Visit) -> None:
    there = [(line.start, line.end) for line in visit.lines if line.patient_present]
    found = claimed(visit, "pat")
    assert found == presence(visit)
    assert minutes(found) == minutes(there)
    assert all(before[1] < after[0] for before, after in pairwise(found)), "runs that meet are one"


@given(visits())
def test_a_caregiver_is_claimed_once_where_named(visit: Visit) -> None:
    for who in ("rosa", "hugo"):
        there = [(line.start, line.end) for line in visit.lines if line.caregiver_id == who]
        assert minutes(claimed(visit, who)) == minutes(there)
        assert claimed(visit, who) == caregivers(visit).get(who, [])


@given(visits())
def test_each_line_claims_its_practitioner_with_its_tails(visit: Visit) -> None:
    for line in visit.lines:
        start, end = busy_span(line)
        assert (start, end) in claimed(visit, line.practitioner_id)
        assert start <= line.start < line.end <= end


@given(visits())
def test_tails_of_one_practitioner_never_meet(visit: Visit) -> None:
    """Unless the lines themselves overlap, which is told; the last line's buffer is whole."""
    for who, buffer in BUFFERS.items():
        own = sorted(
            (line for line in visit.lines if line.practitioner_id == who), key=lambda line: line.start
        )
        if who in doubled(visit.lines):
            assert any(overlaps((a.start, a.end), (b.start, b.end)) for a in own for b in own if a is not b)
        else:
            assert not any(overlaps(busy_span(a), busy_span(b)) for a, b in pairwise(own))
            assert not own or own[-1].buffer_minutes == buffer
            assert len(claimed(visit, who)) == len(own)


@given(visits())
def test_the_room_is_claimed_for_all_of_it_and_one_turnover(visit: Visit) -> None:
    spans = claimed(visit, "room")
    if visit.room_id is None:
        assert spans == []
    else:
        after = visit.turnover_minutes * MINUTE
        assert union(spans) == [(visit.start, visit.end + after)]
        assert len(spans) == (2 if after else 1)


@given(visits(), st.data())
def test_what_one_line_takes_does_not_depend_on_the_others(visit: Visit, data: st.DataObject) -> None:
    """Whoever leaves takes away their own time alone: what the others claim stays or grows by a tail given back."""
    leaving = data.draw(st.sampled_from(visit.lines))
    before = {who: minutes(claimed(visit, who)) for who in ("pat", *BUFFERS)}
    visit.lines = [line for line in visit.lines if line is not leaving]
    if not visit.lines:
        return
    visit.start, visit.end = min(line.start for line in visit.lines), max(line.end for line in visit.lines)
    set_tails(visit.lines, BUFFERS)
    for who in BUFFERS:
        if who != leaving.practitioner_id:
            assert minutes(claimed(visit, who)) == before[who]
    assert minutes(claimed(visit, "pat")) <= before["pat"]


@given(visits())
def test_a_member_takes_no_more_than_the_patient_caregivers_and_a_place(visit: Visit) -> None:
    """The practitioner's and the room's time is the group's."""
    alone = {each for each in taken(visit) if each.resource_id in {"pat", "rosa", "hugo"}}
    visit.group_id = "group"
    found = taken(visit)
    assert claimed(visit, "group") == [(visit.start, visit.end)]
    assert {each for each in found if each.resource_id != "group"} == alone
    assert len(found) == len(alone) + 1
