"""What the rules of a policy are together: their order changes nothing, one more hard rule admits nothing, and what is
stored of a choice leads to the same room."""

from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st
from rules.test_room_choice import anew
from rules.worlds import World, rule_documents, visit, worlds

from holdfast.rules import rooms
from holdfast.rules.assess import Wish, assess, question_about, spans
from holdfast.rules.availability import shifted
from holdfast.rules.decision import kept, replayed, rules_applied, told
from holdfast.rules.facts import StoredClaim
from holdfast.rules.policy.policy import in_force
from holdfast.rules.policy.question import Question
from holdfast.rules.timetable import Claim, Timetable
from holdfast.slot import MINUTE


def asked(world: World) -> Question:
    return question_about(world.directory, world.clinic, world.patient, world.visit, 0)


def accounted(world: World) -> rooms.Account:
    return rooms.account(world.directory, world.timetable(), world.directory.rooms_of["c"], asked(world))


def scores(world: World) -> dict[str, int]:
    return {each.suitable.room.id: each.score for each in accounted(world).free}


@given(worlds())
def test_the_account_tells_how_choose_chooses(world: World) -> None:
    told_of = accounted(world)
    chosen = rooms.choose(world.directory, world.timetable(), world.directory.rooms_of["c"], asked(world))
    if isinstance(chosen, rooms.RoomChoice):
        assert told_of.choice == chosen
    else:
        assert told_of.choice is None
        assert sorted(told_of.refused) == sorted(chosen)


_OF_A_MOMENT = (
    {"name": "known", "kind": "soft", "type": "continuity", "score_modifier": 7, "penalty": 5},
    {"name": "few", "kind": "soft", "type": "workload", "visits_max": 1, "penalty": 9},
    {"name": "even", "kind": "soft", "type": "utilization_balancing", "visits_per_day_max": 2},
    {"name": "morning", "kind": "soft", "type": "time_preference", "time_from": "08:00", "time_to": "09:30"},
)


@given(
    worlds(ruled=False),
    st.sets(st.integers(0, 3), min_size=1, max_size=2),
    st.lists(
        st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 1), st.booleans()), min_size=8, max_size=12
    ),
)
def test_what_is_remembered_of_a_moment_is_what_would_be_found(
    world: World, rules: set[int], steps: list[tuple[int, bool, int, bool]]
) -> None:
    """One timetable, asked by several people about a few moments, with somebody's time changing in between."""
    world = anew(world, *(_OF_A_MOMENT[number] for number in sorted(rules)))
    timetable, among = world.timetable(), world.directory.rooms_of["c"]
    assume(among and world.patient is not None)
    people = list(world.directory.practitioners.values())
    added: list[tuple[str, Claim]] = []
    for who, is_named, hours, is_change in steps:
        start = world.visit.start + (9 + hours) * 60 * MINUTE
        if is_change:
            for resource, claim in added:
                timetable.remove(resource, claim)
            taken = [
                each
                for each in (among[0].id, people[0].id)
                if timetable.free_seat(each, start, start + MINUTE, 1) == 0
            ]
            added = (
                []
                if added
                else [(each, Claim(start, start + MINUTE, 0, "visit", f"other {each}")) for each in taken]
            )
            for resource, claim in added:
                timetable.add(resource, claim)
        wished = shifted(world.directory, world.visit, start, people[who % len(people)])
        patient = world.patient if is_named else None
        question = question_about(world.directory, world.clinic, patient, wished, 0)
        found = rooms.choose(world.directory, timetable, among, question)
        account = rooms.account(world.directory, timetable, among, question)
        assert account.choice == (found if isinstance(found, rooms.RoomChoice) else None)
        assert isinstance(found, rooms.RoomChoice) or account.refused == found


@given(worlds())
def test_a_stored_choice_leads_to_the_same_room(world: World) -> None:
    account = accounted(world)
    stored = kept(world.directory, account)
    chosen = account.choice.room.id if account.choice else None
    assert replayed(stored.decision, stored.grounds) == chosen
    seen = told(stored.decision, stored.grounds)
    assert [each.room_id for each in seen.candidates][:1] == ([chosen] if chosen else [])
    for each in seen.candidates:
        assert each.score == max(0, rooms.BASE_SCORE + sum(said.effect for said in each.said))
    among = {room.id for room in world.directory.rooms_of["c"]}
    assert {each.room_id for each in seen.candidates} | {each.room_id for each in seen.refused} == among
    assert {(each.room_id, each.rule) for each in seen.refused} == {
        (each.room_id, each.rule) for each in account.refused
    }


@given(worlds())
def test_grounds_are_the_same_for_whoever_decides(world: World) -> None:
    mine, theirs = (
        kept(world.directory, accounted(world)),
        kept(anew(world).directory, accounted(anew(world))),
    )
    assert (mine.grounds_id, mine.grounds) == (theirs.grounds_id, theirs.grounds)


@given(worlds(), st.lists(rule_documents("x", kinds=("soft",)), min_size=2, max_size=4), st.randoms())
def test_the_order_of_soft_rules_changes_nothing(world: World, soft: list[Any], chance: Any) -> None:
    named = [rule | {"name": f"soft {n}"} for n, rule in enumerate(soft)]
    before = anew(world, *named)
    chance.shuffle(named)
    after = anew(world, *named)
    assert accounted(after) == accounted(before)


@given(worlds(), rule_documents("another", kinds=("soft",)))
def test_a_soft_rule_admits_and_refuses_nothing_and_moves_by_its_own_weights(
    world: World, rule: dict[str, Any]
) -> None:
    before, after = scores(anew(world)), scores(anew(world, rule))
    assert before.keys() == after.keys()
    moved = {rule["score_modifier"], 0, -rule["penalty"]}
    for room, score in after.items():
        base = before[room]
        assert score in {max(0, base + by) for by in moved} or base == 0


@given(worlds(), rule_documents("another", kinds=("hard",)))
def test_one_more_hard_rule_grants_nothing(world: World, rule: dict[str, Any]) -> None:
    """Buffers and cleaning apart, which take the place of other numbers and may be shorter."""
    if rule["type"] in ("buffer_time", "cleaning_buffer"):
        return
    wish = Wish(visit=world.visit, room="chosen")
    before, after = (
        assess(each.directory, each.timetable(), world.patient, world.authorizations, wish)
        for each in (anew(world), anew(world, rule))
    )
    assert {reason.code for reason in before.reasons} <= {reason.code for reason in after.reasons} | {
        "no_room_available"
    }
    assert not (before.reasons and not after.reasons)


NEAR = {"name": "near", "kind": "soft", "type": "proximity", "near_each_other": ["r0", "r1", "away"]}


@given(worlds(), rule_documents("another"), st.sampled_from(("r0", "away")))
def test_what_a_choice_does_not_look_at_changes_nothing(
    world: World, rule: dict[str, Any], was_in: str
) -> None:
    """What else happens to be in memory, such as another clinic's rooms where a practitioner was before, is not asked."""
    here = world.directory.rooms
    here["away"] = msgspec.structs.replace(here["r0"], id="away", clinic_id="other")
    world = anew(world, rule, NEAR)
    who, noon = world.visit.lines[0].practitioner_id, world.visit.start + 12 * 3600
    world.visit = visit(world.directory.services["s"], world.directory.practitioners[who], noon)
    world.claims += [
        StoredClaim(each, 0, noon - 7200, noon - 3600, "visit", "before") for each in (who, was_in)
    ]
    little = Timetable(1)
    little.fill(little.missing(spans(world.directory, world.visit)), world.claims)
    among = world.directory.rooms_of["c"] if world.visit.location == "on_site" else ()
    alone = rooms.account(world.directory, little, among, asked(world))
    assert alone == rooms.account(world.directory, world.timetable(), among, asked(world))


@given(worlds())
def test_the_rules_that_are_said_to_apply_are_the_clinics_own(world: World) -> None:
    own = {rule["name"] for each in world.directory.policies for rule in each.rules}
    assert set(rules_applied(accounted(world))) <= own


@given(worlds(), rule_documents("another"))
def test_a_rule_is_in_force_where_its_scope_is_and_nowhere_else(world: World, rule: dict[str, Any]) -> None:
    after = anew(world, rule)
    who = world.visit.lines[0].practitioner_id
    policy = in_force(after.directory)
    assert "another" in {each.rule.name for each in policy.rules_for("c", "s", who)}
    assert "another" not in {each.rule.name for each in policy.rules_for("c", "s", "somebody else")}
