"""How a room was chosen, as it is kept with the visit and told to people.

What the rules say whatever the time is the same for thousands of visits: it is kept once, as grounds under the hash of what
they say. The visit keeps what was so at its moment: scores, who was taken, visits that day. Both together are everything the
choice was made on, so it can be made again (`replayed`), a year later.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from holdfast.rules.facts import Directory
from holdfast.rules.policy.program import Said
from holdfast.rules.rooms import BASE_SCORE, Account, Candidates, RoomRefusal


class Admitted(NamedTuple):
    """A room that the rules admit at any time."""

    room_id: str
    surplus: int
    said: Sequence[int]


class Grounds(msgspec.Struct, array_like=True):
    """What was said of the rooms whatever the time: those admitted, in the order in which equal ones are taken. `says` is
    everything that the soft rules can say; the rest names it by its place there."""

    admitted: Sequence[Admitted]
    refused: Sequence[RoomRefusal]
    says: Sequence[Said]


class Had(NamedTuple):
    """A room that could be had: its place among the admitted, its score, visits that day, and what was said of it at this
    time."""

    place: int
    score: int
    visits_that_day: int
    said: Sequence[int] = ()


class Decision(msgspec.Struct, array_like=True):
    """`had` best first; `taken` are places among the admitted; `not_now` are the others that could not be had."""

    policy_version: int
    had: Sequence[Had]
    taken: Sequence[int] = ()
    not_now: Sequence[RoomRefusal] = ()
    said: Sequence[int] = ()


class Kept(NamedTuple):
    """A decision as it is stored: JSON, and the grounds under their id."""

    decision: str
    grounds_id: str | None
    grounds: str


NONE: Final = ""
"""Stands where a visit has no room to be decided on."""

_decision = msgspec.json.Decoder(Decision)
_grounds = msgspec.json.Decoder(Grounds)
_encode = msgspec.json.Encoder().encode


def kept(directory: Directory, account: Account) -> Kept:
    """The account in its stored form."""
    grounds_id, grounds = _grounds_of(directory, account)
    had = [
        (each.suitable.place, each.score, each.visits_that_day, _places(each.said))
        if each.said
        else (each.suitable.place, each.score, each.visits_that_day)
        for each in account.free
    ]
    taken = [each.place for each in account.taken]
    decision = Decision(account.policy_version, had, taken, account.not_now, _places(account.said))  # type: ignore[arg-type]
    return Kept(_encode(decision).decode(), grounds_id, grounds)


def _places(said: Sequence[Said]) -> list[int]:
    return [each.place for each in said]


def _grounds_of(directory: Directory, account: Account) -> tuple[str, str]:
    """The grounds and their id, remembered as long as the candidates are."""
    known = account.known
    found: tuple[Candidates, str, str] | None = directory.remembered.get(("grounds", id(known)))
    if found is None or found[0] is not known:
        admitted = [Admitted(each.room.id, each.surplus, _places(each.said)) for each in known.admitted]
        text = _encode(Grounds(admitted, known.refused, account.says))
        digest = hashlib.blake2b(text, digest_size=16).hexdigest()
        grounds_id = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
        found = directory.remembered["grounds", id(known)] = (known, grounds_id, text.decode())
    return found[1], found[2]


def rules_applied(account: Account) -> list[str]:
    """The clinic's own rules that bore on the chosen room: the hard ones that it passed, the soft ones that changed its
    score."""
    if not account.free:
        return []
    best = account.free[0]
    soft = {each.rule for each in (*account.said, *best.suitable.said, *best.said)}
    return sorted({*account.own_hard, *soft}) if soft or account.own_hard else []


class Candidate(NamedTuple):
    """A room that could be had, with everything that made its score."""

    room_id: str
    score: int
    surplus: int
    visits_that_day: int
    said: Sequence[Said]


class Told(NamedTuple):
    """A decision as people read it; candidates best first."""

    policy_version: int
    candidates: Sequence[Candidate]
    refused: Sequence[RoomRefusal]


def told(decision: str, grounds: str) -> Told:
    """A stored decision."""
    found, ground = _decision.decode(decision), _grounds.decode(grounds)
    candidates = [
        Candidate(
            ground.admitted[each.place].room_id,
            each.score,
            ground.admitted[each.place].surplus,
            each.visits_that_day,
            [ground.says[said] for said in (*found.said, *ground.admitted[each.place].said, *each.said)],
        )
        for each in found.had
    ]
    busy = [
        RoomRefusal(ground.admitted[place].room_id, "room_conflict", "The room is taken.", "room_conflict")
        for place in found.taken
    ]
    return Told(found.policy_version, candidates, [*ground.refused, *found.not_now, *busy])


def replayed(decision: str, grounds: str) -> str | None:
    """The room that the stored facts lead to: scores added up anew, ties broken anew. None if none could be had."""
    found, ground = _decision.decode(decision), _grounds.decode(grounds)

    def rank(each: Had) -> tuple[int, int, int, int]:
        admitted = ground.admitted[each.place]
        points = sum(ground.says[said].effect for said in (*found.said, *admitted.said, *each.said))
        return -max(0, BASE_SCORE + points), admitted.surplus, each.visits_that_day, each.place

    best = min(found.had, key=rank, default=None)
    return None if best is None else ground.admitted[best.place].room_id
