"""Several stored visits change at once, all or nothing: what a plan proposed is applied. The visits are out of each other's
way while each is decided on, so they may exchange places; what does not fit any more is named, and then nothing changes.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from holdfast.actor import Asked
from holdfast.commands.desk import Desk, View
from holdfast.commands.intent import Errand, Intent
from holdfast.commands.move import Move
from holdfast.commands.transition import Transition
from holdfast.errors import Invalid, NotFound, Reason, Refused
from holdfast.rules.facts import Visit

Verb = Move | Transition


class Change(msgspec.Struct, kw_only=True):
    """What becomes of one visit, planned on it at `version`. The verb gives its time back or places it anew: a
    cancellation, or a move of more than notes."""

    verb: Verb
    version: int

    def __post_init__(self) -> None:
        verb = self.verb
        if not (verb.call == "cancel" if isinstance(verb, Transition) else verb.is_placing_anew):
            raise ValueError("only what is placed anew or cancelled can change together with others")


class Together(Errand, kw_only=True):
    """`changes`: each of another visit, in whatever order; `field`: what the request calls their list; nothing, if one
    request's fields are asked of all of them."""

    changes: tuple[Change, ...]
    field: str = "visits"

    def __post_init__(self) -> None:
        if len({change.verb.id for change in self.changes}) < len(self.changes):
            raise ValueError("a visit changes once")

    @property
    def parts(self) -> tuple[Intent, ...]:
        return tuple([change.verb for change in self.changes])

    @property
    def status(self) -> int:
        return 200

    def carry_out(self, desk: Desk, asked: Asked, view: View) -> tuple[bytes, int | None]:
        """Raises Refused: plan_outdated, whose `outdated` names every visit that does not fit with all its reasons; or
        forbidden."""
        stored = [visit for change in self.changes if (visit := desk.stored(change.verb.id)) is not None]
        numbers = {change.verb.id: number for number, change in enumerate(self.changes)}
        outdated: dict[int, dict[str, Any]] = {}
        visits: dict[int, Visit] = {}
        with desk.together(stored):
            for verb in in_order(desk, [change.verb for change in self.changes]):
                number = numbers[verb.id]
                believed = msgspec.structs.replace(asked, if_match=self.changes[number].version)
                try:
                    visits[number] = verb.decide(desk, believed)
                except Refused as refused:
                    if refused.code == "forbidden":
                        raise
                    outdated[number] = {"appointment_id": verb.id, "reasons": reasons_told(refused)}
                except NotFound as missing:
                    name = "appointment_id" if missing.field == "id" else missing.field
                    raise NotFound(self._prefix(number) + name) from None
                except Invalid as invalid:
                    raise invalid.under(self._prefix(number)) from None
            if outdated:
                which = "One visit does" if len(outdated) == 1 else f"{len(outdated)} visits do"
                why = f"{which} not fit any more as planned; nothing has changed."
                raise Refused("plan_outdated", why, outdated=[outdated[each] for each in sorted(outdated)])
        shown = [view(visit, desk.directory, asked, None) for _, visit in sorted(visits.items())]
        return b'{"appointments":[' + b",".join(shown) + b"]}", None

    def _prefix(self, number: int) -> str:
        return f"{self.field}[{number}]." if self.field else ""


def is_shifting(verb: Verb) -> bool:
    """Whether it gives the visit another time."""
    return isinstance(verb, Move) and (verb.start is not None or verb.end is not None)


def in_order(desk: Desk, verbs: Iterable[Verb]) -> list[Verb]:
    """As they are decided, however they were given: who keeps their time first, so that nobody who comes from elsewhere
    takes the room that they have; then by the time that they had."""

    def place(verb: Verb) -> tuple[bool, int, str]:
        visit = desk.stored(verb.id)
        return is_shifting(verb), visit.start if visit is not None else 0, verb.id

    return sorted(verbs, key=place)


def reasons_told(refused: Refused) -> list[dict[str, Any]]:
    """Every reason of a refusal, where several refusals are told at once."""
    found = refused.reasons or (Reason(refused.code, refused.detail, refused.members),)
    return [{"code": each.code, "detail": each.detail, **each.members} for each in found]
