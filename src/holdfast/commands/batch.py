"""A batch: requests that are decided on one desk and written by one transaction."""

import time
from typing import Any

from holdfast.actor import Answered
from holdfast.commands.desk import Desk
from holdfast.commands.gather import Need
from holdfast.commands.ticket import Ticket
from holdfast.rules.facts import Directory, Facts, SpanOf, Visit


class Batch:
    """`tickets` in the order in which they were decided, each with its outcome.

    `before`: the id of the batch on top of which this one was decided, if that was not stored yet.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.before: str | None = None
        self.tickets: list[Ticket] = []
        self._outcomes: list[Answered | Exception] = []

    def decide(self, tickets: list[Ticket], facts: Facts) -> list[Ticket]:
        """Decides every ticket that is still waited for in its place: releases, moves, bookings.

        Returns those that are left: refused with a key whose stored answer, if there is one, was not read.
        """
        left = []
        began = time.perf_counter()
        keys = {(stored.user_id, stored.key): stored for stored in facts.keys or ()}
        for ticket in sorted(tickets, key=lambda ticket: ticket.intent.rank):
            # Who has been told that nothing happened gets nothing: from here to the sending nobody is told.
            if not ticket.future.done():
                outcome = ticket.decide(self.desk, keys)
                if facts.is_remembered and isinstance(outcome, Exception) and ticket.stored_key is not None:
                    left.append(ticket)
                    continue
                ticket.is_sent = True
                self.tickets.append(ticket)
                self._outcomes.append(outcome)
        seconds = time.perf_counter() - began
        for ticket in tickets:
            ticket.spans["lane"] = began - ticket.joined
            ticket.spans["decide"] = seconds
        return left

    @property
    def has_effect(self) -> bool:
        return bool(self.desk.keeping.events)

    def settle(self) -> None:
        """Gives every request what was decided."""
        for ticket, outcome in zip(self.tickets, self._outcomes, strict=True):
            ticket.settle(outcome)

    def written(self) -> list[Any]:
        """Everything that the write carries, in the order of `apply`'s arguments."""
        desk, keeping = self.desk, self.desk.keeping
        return [
            keeping.organization, keeping.batch_id, self.before, keeping.seq_before, keeping.now,
            desk.claims.gone, desk.claims.moved, desk.claims.new, desk.appointments_new,
            desk.appointments_changed, desk.lines_new, desk.lines_changed, desk.authorizations_changed, desk.entries_new,
            keeping.events, keeping.audit, keeping.keys,
        ]  # fmt: skip


def need_of(tickets: list[Ticket]) -> Need:
    """The facts that deciding these requests looks at."""

    def spans(directory: Directory, visits: dict[str, Visit], now: int) -> list[SpanOf]:
        found: list[SpanOf] = []
        for ticket in tickets:
            visit_id = ticket.intent.visit_id
            before = visits.get(visit_id) if visit_id else None
            if visit_id is None or before is not None:
                found += ticket.intent.spans(directory, before, now)
        return found

    return Need(
        spans,
        visits={v for t in tickets for v in (t.intent.visit_id, *t.intent.other_visit_ids) if v},
        patients={t.intent.patient_id for t in tickets if t.intent.patient_id},
        authorizations={t.intent.authorization_id for t in tickets if t.intent.authorization_id},
        keys=[t.stored_key for t in tickets if t.stored_key is not None],
    )
