"""A request in the lane, from joining to its answer."""

import asyncio
import time

from holdfast.actor import Answered, Asked
from holdfast.commands.change import replayed
from holdfast.commands.desk import Desk, View
from holdfast.commands.intent import Errand
from holdfast.db.keeping import decoded
from holdfast.errors import Invalid, NotFound, OutcomeUnknown, Overloaded, Refused
from holdfast.rules.facts import StoredAnswer

Keys = dict[tuple[str, str], StoredAnswer]
"""Stored answers by user and idempotency key."""


class Ticket:
    """One request: what it wants, for whom, how its answer is spelled, and who waits for it."""

    __slots__ = ("asked", "deadline", "future", "intent", "is_sent", "joined", "marks", "spans", "view")

    def __init__(
        self,
        asked: Asked,
        intent: Errand,
        view: View,
        spans: dict[str, float],
        future: asyncio.Future[Answered],
    ) -> None:
        self.asked, self.intent, self.view, self.spans = asked, intent, view, spans
        self.joined = time.perf_counter()
        self.deadline = asked.deadline
        self.is_sent = False
        self.future = future
        marks: list[object] = []
        for part in intent.parts:
            marks += part.other_visit_ids
            if part.visit_id is not None:
                marks.append(part.visit_id)
            if part.hold_id is not None:
                marks.append(part.hold_id)
        if asked.key is not None:
            marks.append((asked.actor.user_id, asked.key))
        self.marks = tuple(marks)

    @property
    def stored_key(self) -> tuple[str, str] | None:
        return None if self.asked.key is None else (self.asked.actor.user_id, self.asked.key)

    def settle(self, outcome: Answered | Exception) -> None:
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)

    def expire(self) -> None:
        """Nobody waits longer than the deadline, whatever becomes of the batch."""
        if self.is_sent:
            self.settle(OutcomeUnknown("the deadline passed while the batch was under way"))
        else:
            self.settle(Overloaded("deadline_in_lane"))

    def decide(self, desk: Desk, keys: Keys) -> Answered | Exception:
        """What the request gets: its stored answer, its effect, or its refusal."""
        asked = self.asked
        try:
            stored = keys.get(self.stored_key) if self.stored_key else None
            if stored is not None:
                fingerprint, sealed = decoded(stored.fingerprint), decoded(stored.answer_encrypted)
                return replayed(desk.keeping.seal, asked, fingerprint, stored.status, sealed)
            content, version = self.intent.carry_out(desk, asked, self.view)
            desk.keeping.remember(asked, self.intent.status, content)
            return Answered(status=self.intent.status, content=content, version=version)
        except (Refused, Invalid, NotFound) as refusal:
            # Its way here would keep the desk, with all that the lane remembers, as long as the refusal.
            return refusal.with_traceback(None)
