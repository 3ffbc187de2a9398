"""The history check: right histories pass, and every kind of damage is found."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proof.histories import Clinic
from sizes import size

from holdfast.proof.history.check import check
from holdfast.proof.history.log import BY_HAND, Counters, Log, Operation, Refusal, Visit, Wish, merged
from holdfast.proof.history.stored import Stored

SEEDS = st.integers(0, 10**9)
replace = msgspec.structs.replace
Damage = Callable[[Clinic, random.Random], bool]


def clinic(seed: int, lost_share: float = 0.1) -> Clinic:
    return Clinic(random.Random(seed), lost_share=lost_share).go_on(60)


def findings(made: Clinic, before: Stored | None = None) -> list[str]:
    operations = sorted(made.operations, key=lambda each: each.begin)
    return [f"{each.kind}: {each.sentence}" for each in check(operations, made.stored, before)]


@given(SEEDS)
@settings(max_examples=size(150, 5_000), deadline=None)
def test_what_is_right_passes(seed: int) -> None:
    assert not findings(clinic(seed))


@given(SEEDS)
@settings(max_examples=size(50, 2_000), deadline=None)
def test_a_history_may_begin_with_what_is_stored(seed: int) -> None:
    made = clinic(seed)
    before = msgspec.msgpack.decode(msgspec.msgpack.encode(made.stored), type=Stored)
    made.operations.clear()
    made.go_on(40)
    assert not findings(made, before)


def acknowledged(made: Clinic, *kinds: str) -> list[int]:
    """Where operations of these kinds were granted, the answer being the only one."""
    keys = [each.wish.key for each in made.operations if each.wish.key]
    return [
        n for n, each in enumerate(made.operations)
        if each.outcome == "ok" and each.wish.kind in kinds and keys.count(each.wish.key) <= 1
    ]  # fmt: skip


def latest(made: Clinic, chance: random.Random) -> str | None:
    """A visit whose stored version was acknowledged, and about which nothing is unknown."""
    told = {(each.visit.id, each.visit.version) for each in made.operations if each.visit is not None}
    unsure = {each.wish.subject for each in made.operations if each.outcome == "unknown"}
    sure = [
        each.id
        for each in made.stored.visits.values()
        if (each.id, each.version) in told and each.id not in unsure
    ]
    return chance.choice(sure) if sure else None


def change_stored(made: Clinic, chance: random.Random, change: Callable[[Visit], Visit]) -> bool:
    visit = latest(made, chance)
    if visit is not None:
        made.stored.visits[visit] = change(made.stored.visits[visit])
    return visit is not None


def drop_a_visit(made: Clinic, chance: random.Random) -> bool:
    visit = latest(made, chance)
    return visit is not None and made.stored.visits.pop(visit) is not None


def shift_a_time(made: Clinic, chance: random.Random) -> bool:
    return change_stored(made, chance, lambda visit: replace(visit, start=visit.start - timedelta(minutes=5)))


def change_a_room(made: Clinic, chance: random.Random) -> bool:
    return change_stored(made, chance, lambda visit: replace(visit, room_id="room-7"))


def cancel_silently(made: Clinic, chance: random.Random) -> bool:
    return change_stored(
        made, chance, lambda visit: replace(visit, status="no_show", version=visit.version + 1)
    )


def lose_a_version(made: Clinic, chance: random.Random) -> bool:
    return change_stored(made, chance, lambda visit: replace(visit, version=visit.version - 1))


def book_from_nowhere(made: Clinic, chance: random.Random) -> bool:
    visit = latest(made, chance)
    if visit is not None:
        one = made.stored.visits[visit]
        later = one.start + timedelta(days=9)
        made.stored.visits["visit-x"] = replace(one, id="visit-x", version=1, start=later)
    return visit is not None


def duplicate_a_booking(made: Clinic, chance: random.Random) -> bool:
    """An acknowledged booking had its effect twice."""
    found = acknowledged(made, "book")
    if found:
        visit = made.operations[chance.choice(found)].visit
        assert visit is not None
        made.stored.visits["visit-x"] = replace(visit, id="visit-x")
    return bool(found)


def acknowledge_an_overlap(made: Clinic, chance: random.Random) -> bool:
    """Somebody else gets the practitioner and time of a visit that is still held; both are stored."""
    visit = latest(made, chance)
    if visit is None or made.stored.visits[visit].status != "scheduled":
        return False
    one = made.stored.visits[visit]
    # What it holds must not be in question any more.
    made.now += 10
    other = replace(one, id="visit-x", version=1, patient_id="patient-x", room_id="room-x", lines=(
        replace(one.lines[0], authorization_id=None, units_reserved=0),
    ))  # fmt: skip
    wish = Wish(kind="book", patient_id="patient-x", practitioner_id=one.lines[0].practitioner_id)
    made.operations.append(Operation(wish=wish, begin=made.now, end=made.now + 1, status=201, visit=other))
    made.stored.visits[other.id] = other
    return True


def fill_a_room(made: Clinic, chance: random.Random) -> bool:
    """A third visit in the room of two seats; all are stored."""
    made.now += 10
    start = next(iter(made.stored.visits.values())).start + timedelta(days=30)
    for number in range(3):
        person, who = f"patient-{made.now}-{number}", f"practitioner-{made.now}-{number}"
        wish = Wish(kind="book", patient_id=person, practitioner_id=who, start=start, room_id="room-0")
        visit = made._wished(wish, None)
        line = replace(visit.lines[0], authorization_id=None, units_reserved=0)
        visit = replace(visit, id=f"visit-x-{number}", lines=(line,))
        made.stored.visits[visit.id] = visit
        begin = made.now + chance.random()
        made.operations.append(Operation(wish=wish, begin=begin, end=begin + 1, status=201, visit=visit))
    return True


def change_entry(made: Clinic, number: int, **more: object) -> None:
    made.stored.entries[number] = replace(made.stored.entries[number], **more)


def grant_one_more(made: Clinic, chance: random.Random) -> bool:
    """The ledger and the counters agree; only the answer says less."""
    found = acknowledged(made, "reserve")
    if not found:
        return False
    counters = made.operations[chance.choice(found)].counters
    assert counters is not None
    where = next(
        n for n, e in enumerate(made.stored.entries)
        if (e.authorization_id, e.entry_no) == (counters.id, counters.version)
    )  # fmt: skip
    change_entry(made, where, units=made.stored.entries[where].units + 1)
    at = made.stored.authorizations[counters.id]
    made.stored.authorizations[counters.id] = replace(
        at, scheduled_units=at.scheduled_units + 1, manual_units=at.manual_units + 1
    )
    return True


def drop_an_entry(made: Clinic, chance: random.Random) -> bool:
    if made.stored.entries:
        del made.stored.entries[chance.randrange(len(made.stored.entries))]
    return bool(made.stored.entries)


def reserve_twice(made: Clinic, chance: random.Random) -> bool:
    """An operation's effect came twice, with all its counters."""
    found = acknowledged(made, "reserve")
    unsure = any(each.outcome == "unknown" and each.wish.kind == "reserve" for each in made.operations)
    if found and not unsure:
        wish = made.operations[chance.choice(found)].wish
        made.enter(wish.subject, wish.kind, wish.units, None)
    return bool(found) and not unsure


def change_a_counter(made: Clinic, chance: random.Random) -> bool:
    name = chance.choice(list(made.stored.authorizations))
    at = made.stored.authorizations[name]
    made.stored.authorizations[name] = replace(at, scheduled_units=at.scheduled_units + 1)
    return True


def lower_a_total(made: Clinic, chance: random.Random) -> bool:
    """Everything agrees, and more was granted than there ever was."""
    name = chance.choice(list(made.stored.authorizations))
    at = made.stored.authorizations[name]
    less = at.used_units + at.scheduled_units - 1
    for n, each in enumerate(made.operations):
        if each.counters is not None and each.counters.id == name:
            made.operations[n] = replace(each, counters=replace(each.counters, total_units=less))
    made.stored.authorizations[name] = replace(at, total_units=less)
    return less > 0


def swap_versions(made: Clinic, chance: random.Random) -> bool:
    """Two reservations of as many units, one after the other: each is answered with the other's version."""
    one, other = (
        Operation(wish=wish, begin=made.now + begin, end=made.now + begin + 1)
        for begin, wish in (
            (10, Wish(kind="reserve", subject="authorization-x", units=2, key="x-1")),
            (20, Wish(kind="reserve", subject="authorization-x", units=2, key="x-2")),
        )
    )
    made.stored.authorizations["authorization-x"] = start = Counters(
        id="authorization-x", version=1, total_units=9, used_units=0, scheduled_units=0, manual_units=0
    )
    made.enter(start.id, "reserve", 2, None)
    first = made.stored.authorizations[start.id]
    made.enter(start.id, "reserve", 2, None)
    second = made.stored.authorizations[start.id]
    made.operations += [
        replace(one, status=200, counters=second),
        replace(other, status=200, counters=first),
    ]
    return chance is not None


def share_a_version(made: Clinic, chance: random.Random) -> bool:
    """Two operations were told that each made the same version."""
    found = acknowledged(made, *BY_HAND)
    if found:
        one = made.operations[chance.choice(found)]
        made.operations.append(replace(one, wish=replace(one.wish, key="another")))
    return bool(found)


def share_a_visits_version(made: Clinic, chance: random.Random) -> bool:
    found = acknowledged(made, "book", "move", "cancel")
    if found:
        one = made.operations[chance.choice(found)]
        made.operations.append(replace(one, wish=replace(one.wish, key="another")))
    return bool(found)


def reverse_time(made: Clinic, chance: random.Random) -> bool:
    """A booking was sent after its cancellation had been answered."""
    cancelled = {made.operations[n].wish.subject: n for n in acknowledged(made, "cancel")}
    for n in acknowledged(made, "book"):
        visit = made.operations[n].visit
        assert visit is not None
        if visit.id in cancelled:
            made.operations[n] = replace(made.operations[n], begin=made.now + 10.0, end=made.now + 11.0)
            return chance is not None
    return False


def refuse_falsely(made: Clinic, chance: random.Random) -> bool:
    """Refused, although by the version that is named there was enough."""
    at = next(each for each in made.stored.authorizations.values())
    wish = Wish(kind="reserve", subject=at.id, units=max(1, at.available))
    short = Refusal(
        code="insufficient_units", version=at.version, available=at.available, requested=wish.units
    )
    made.operations.append(
        Operation(wish=wish, begin=made.now + 9.0, end=made.now + 9.5, status=409, refusal=short)
    )
    return at.available > 0 and chance is not None


def refuse_too_late(made: Clinic, chance: random.Random) -> bool:
    """Refused for a version that had long been followed by another, acknowledged one."""
    found = [
        n for n, each in enumerate(made.operations) if each.refusal is not None and each.refusal.version > 0
    ]
    for n in found:
        one = made.operations[n]
        assert one.refusal is not None
        for m in acknowledged(made, *BY_HAND):
            later = made.operations[m].counters
            assert later is not None
            if later.id == one.refusal.authorization_id and later.version > one.refusal.version:
                made.operations[n] = replace(one, begin=made.now + 20.0, end=made.now + 21.0)
                return chance is not None
    return False


def refuse_without_version(made: Clinic, chance: random.Random) -> bool:
    found = [
        n for n, each in enumerate(made.operations) if each.refusal is not None and each.refusal.version > 0
    ]
    if found:
        n = chance.choice(found)
        refusal = made.operations[n].refusal
        assert refusal is not None
        made.operations[n] = replace(made.operations[n], refusal=replace(refusal, version=0))
    return bool(found)


def refuse_another_number(made: Clinic, chance: random.Random) -> bool:
    found = [
        n for n, each in enumerate(made.operations)
        if each.refusal is not None and each.refusal.version > 0 and each.wish.kind in BY_HAND
    ]  # fmt: skip
    if found:
        n = chance.choice(found)
        refusal = made.operations[n].refusal
        assert refusal is not None
        made.operations[n] = replace(made.operations[n], refusal=replace(refusal, requested=10**6))
    return bool(found)


def answer_a_key_twice(made: Clinic, chance: random.Random) -> bool:
    found = [n for n in acknowledged(made, "book", "reserve") if made.operations[n].wish.key]
    if found:
        one = made.operations[chance.choice(found)]
        made.operations.append(replace(one, digest=one.digest + 1))
    return bool(found)


def refuse_a_replay(made: Clinic, chance: random.Random) -> bool:
    """What was granted is asked for again with its key, and refused."""
    found = [n for n in acknowledged(made, "book", "reserve") if made.operations[n].wish.key]
    if found:
        wish = made.operations[chance.choice(found)].wish
        refusal, begin = Refusal(code="room_conflict"), made.now + 10.0
        made.operations.append(Operation(wish=wish, begin=begin, end=begin + 1, status=409, refusal=refusal))
    return bool(found)


def grant_a_key_twice(made: Clinic, chance: random.Random) -> bool:
    found = [n for n in acknowledged(made, "reserve") if made.operations[n].wish.key]
    if found:
        one = made.operations[chance.choice(found)]
        made.operations.append(replace(one, wish=replace(one.wish, units=one.wish.units + 1)))
    return bool(found)


def answer_another_question(made: Clinic, chance: random.Random) -> bool:
    found = acknowledged(made, "book", "move")
    if found:
        n = chance.choice(found)
        one = made.operations[n]
        made.operations[n] = replace(one, wish=replace(one.wish, room_id="room-7"))
    return bool(found)


def say_nothing(made: Clinic, chance: random.Random) -> bool:
    found = acknowledged(made, "book", "reserve")
    if found:
        n = chance.choice(found)
        made.operations[n] = replace(made.operations[n], visit=None, counters=None)
    return bool(found)


DAMAGES: tuple[tuple[Damage, str], ...] = (
    (drop_a_visit, "lost"), (lose_a_version, "lost"), (shift_a_time, "differs"), (change_a_room, "differs"),
    (cancel_silently, "nowhere"), (book_from_nowhere, "nowhere"), (duplicate_a_booking, "nowhere"),
    (acknowledge_an_overlap, "overlap"), (fill_a_room, "overlap"), (grant_one_more, "differs"),
    (drop_an_entry, "ledger"), (reserve_twice, "nowhere"), (change_a_counter, "ledger"),
    (lower_a_total, "overbooked"), (swap_versions, "order"), (share_a_version, "version"),
    (share_a_visits_version, "version"), (reverse_time, "order"), (refuse_falsely, "refusal"),
    (refuse_too_late, "order"), (refuse_without_version, "refusal"), (refuse_another_number, "refusal"),
    (answer_a_key_twice, "key"), (refuse_a_replay, "key"), (grant_a_key_twice, "key"), (answer_another_question, "answer"),
    (say_nothing, "unreadable"),
)  # fmt: skip


@pytest.mark.parametrize(("damage", "kind"), DAMAGES, ids=lambda each: getattr(each, "__name__", each))
def test_damage_is_found(damage: Damage, kind: str) -> None:
    """In many histories, half of them with answers that were lost."""
    tried = 0
    for seed in range(size(60, 2_000)):
        made = clinic(seed, lost_share=0.1 * (seed % 2))
        if damage(made, random.Random(seed)):
            tried += 1
            found = findings(made)
            assert any(each.startswith(f"{kind}:") for each in found), (seed, found)
    assert tried >= 10


def test_what_is_unknown_may_have_happened_or_not() -> None:
    """Both are right: the same lost booking stored, and not stored."""
    made = Clinic(random.Random(1), lost_share=1.0)
    made.step(
        Wish(
            kind="book",
            key="k",
            patient_id="p",
            practitioner_id="q",
            start=clinic(1).stored.visits.popitem()[1].start,
        )
    )
    assert made.stored.visits
    assert not findings(made)
    made.stored = Stored()
    assert not findings(made)


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Two drivers' files, merged by time; a patient's name in an answer is not kept."""
    made = clinic(3)
    halves = made.operations[::2], made.operations[1::2]
    for number, half in enumerate(halves):
        log = Log([each.wish for each in half])
        log.operations += half
        log.save(tmp_path / str(number))
    files = [tmp_path / "0", tmp_path / "1"]
    assert merged(files) == sorted(made.operations, key=lambda each: each.begin)


VISIT = clinic(4).stored.visits.popitem()[1]


@pytest.mark.parametrize(("status", "body", "outcome"), [
    (201, msgspec.json.encode(VISIT)[:-1] + b',"patient_name":"Ann Other"}', "ok"),
    (201, b"{}", "unknown"),
    (409, b'{"code":"room_conflict"}', "fail"),
    (422, b"what", "fail"),
    (429, b'{"code":"rate_limited"}', "fail"),
    (500, b'{"code":"internal_error"}', "unknown"),
    (502, b"<html>", "unknown"),
    (503, b'{"code":"overloaded"}', "fail"),
    (503, b'{"code":"outcome_unknown"}', "unknown"),
    (503, b"", "unknown"),
])  # fmt: skip
def test_only_an_answer_that_says_so_is_a_fail(status: int, body: bytes, outcome: str) -> None:
    log = Log([Wish(kind="book")])
    log.answered(*log.sending(), status, body)
    assert log.operations[0].outcome == outcome
    assert b"Ann Other" not in msgspec.msgpack.encode(log.operations)
    assert 0 < log.operations[0].begin <= (log.operations[0].end or 0)
