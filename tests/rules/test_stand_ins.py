"""Who stands in: as many visits as can be, checked against trying everything."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast.rules.stand_ins import StandIn, assigned, by_preference
from holdfast.slot import overlaps


@st.composite
def mornings(draw: Any) -> list[list[StandIn]]:
    """Up to five visits, each with some of three people who could give it; the last can have two at once."""
    found = []
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, 5))
        span = (start, start + draw(st.integers(1, 3)))
        able = draw(st.sets(st.sampled_from("abc")))
        found.append([
            StandIn(each, each, span, seats=1 + (each == "c"), knows=draw(st.booleans()), load=draw(st.integers(0, 2)))
            for each in sorted(able)
        ])  # fmt: skip
    return found


def fits(chosen: list[StandIn]) -> bool:
    """Nobody has more beside one visit than they have seats, whoever came first."""
    return all(
        sum(other.id == each.id and overlaps(other.span, each.span) for other in chosen[:number]) < each.seats
        for number, each in enumerate(chosen)
    )


@given(mornings())
def test_nobody_has_two_at_once_and_no_other_assignment_gives_more(able: list[list[StandIn]]) -> None:
    found = assigned(able)
    assert len(found) == len(able)
    assert all(each is None or each in choices for each, choices in zip(found, able, strict=True))
    given_to = [each for each in found if each is not None]
    assert fits(given_to)
    everything = itertools.product(*([None, *choices] for choices in able))
    possible = ([each for each in one if each is not None] for one in everything)
    assert len(given_to) == max(len(one) for one in possible if fits(one))


@given(mornings())
def test_who_is_preferred_is_taken_when_nobody_is_in_the_way(able: list[list[StandIn]]) -> None:
    for choices in able:
        (found,) = assigned([choices])
        assert found == next(iter(by_preference(choices)), None)
        keys = [(not each.knows, each.load, each.name) for each in by_preference(choices)]
        assert keys == sorted(keys)


def test_visits_are_spread() -> None:
    two = [
        [StandIn(each, each, (hour, hour + 1), seats=1, knows=False, load=0) for each in "ab"]
        for hour in range(4)
    ]
    assert [each and each.id for each in assigned(two)] == ["a", "b", "a", "b"]


def test_a_search_without_end_is_ended() -> None:
    """Thirty visits at once and five who could each give one: hopeless to try everything."""
    many = [
        [StandIn(each, each, (0, 1), seats=1, knows=False, load=0) for each in "abcde"] for _ in range(30)
    ]
    assert sum(each is not None for each in assigned(many)) == 5
