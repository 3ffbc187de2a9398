"""A batch: requests that are decided on one desk and written by one transaction."""

import time
from collections.abc import Sequence
from typing import Any

from holdfast.actor import Answered
from holdfast.commands.desk import Desk
from holdfast.commands.gather import Need
from holdfast.commands.intent import Intent, is_explained
from holdfast.commands.spans import Spans
from holdfast.commands.ticket import Ticket
from holdfast.db.written import NewGrounds
from holdfast.rules import assess
from holdfast.rules.facts import DatesOf, Directory, Facts, SpanOf, Visit


class Batch:
    """`tickets` in the order in which they were decided, each with its outcome.

    `before`: the id of the batch on top of which this one was decided, if that was not stored yet.
    """

    def __init__(self, desk: Desk, grounds_stored: set[str]) -> None:
        self.desk = desk
        self._grounds_stored = grounds_stored
        self.before: str | None = None
        self.tickets: list[Ticket] = []
        self._outcomes: list[Answered | Exception] = []
        self._decided: list[tuple[float, int]] = []
        """When how many were decided."""

    def decide(
        self, tickets: list[Ticket], facts: Facts, spans: Spans, read_seconds: float = 0.0
    ) -> list[Ticket]:
        """Decides every ticket that is still waited for in its place: releases, moves, bookings. `read_seconds`: what
        reading the facts took, just before.

        Returns those that are left, refused from memory alone: with a key whose stored answer, if there is one, was not
        read; or for good, since another process may have answered otherwise by now.
        """
        left = []
        began, before = time.perf_counter(), len(self.tickets)
        until = began - read_seconds
        self.desk.sweep()
        keys = {(stored.user_id, stored.key): stored for stored in facts.keys or ()}
        for ticket in sorted(tickets, key=lambda ticket: ticket.intent.rank):
            # Who has been told that nothing happened gets nothing: from here to the sending nobody is told.
            if not ticket.future.done():
                outcome = ticket.decide(self.desk, keys)
                if (
                    facts.is_remembered
                    and isinstance(outcome, Exception)
                    and (ticket.stored_key is not None or not is_explained(ticket.intent, outcome))
                ):
                    left.append(ticket)
                    continue
                ticket.is_sent = True
                spans.lane.add(until - ticket.joined)
                self.tickets.append(ticket)
                self._outcomes.append(outcome)
        now = time.perf_counter()
        seconds, count = now - began, len(self.tickets) - before
        spans.decide.add_each(seconds, count)
        self._decided.append((now, count))
        if self.desk.rules_seconds:
            spans.rules.add(self.desk.rules_seconds)
            self.desk.rules_seconds = 0.0
        for ticket in tickets:
            ticket.spans["lane"] = until - ticket.joined
            ticket.spans["decide"] = seconds
        return left

    def departs(self, now: float, spans: Spans) -> None:
        """It is written from `now` on: those decided ahead have waited for the batch before."""
        for decided, count in self._decided:
            spans.ahead.add_each(now - decided, count)

    @property
    def has_effect(self) -> bool:
        return bool(self.desk.keeping.events)

    def settle(self) -> None:
        """Gives every request what was decided."""
        for ticket, outcome in zip(self.tickets, self._outcomes, strict=True):
            ticket.settle(outcome)

    def statements(self, *, in_turn: bool) -> list[tuple[str, Sequence[Any]]]:
        """What is sent, in order: the write, and what goes before it in its turn."""
        return [*self.desk.preceding, ("apply_in_turn" if in_turn else "apply_ahead", self.written())]

    def written(self) -> list[Any]:
        """Everything that the write carries, in the order of `apply`'s arguments."""
        desk, keeping = self.desk, self.desk.keeping
        stored = self._grounds_stored
        grounds = [NewGrounds(*each) for each in desk.grounds.items() if each[0] not in stored]
        return [
            keeping.organization, keeping.batch_id, self.before, keeping.seq_before, keeping.now,
            desk.claims.gone, desk.claims.moved, desk.claims.new, grounds, desk.appointments_new,
            desk.appointments_changed, desk.lines_new, desk.lines_changed, desk.lines_gone, desk.holds_new,
            desk.holds_ended, desk.authorizations_changed, desk.entries_new, desk.counts.changed,
            keeping.events, keeping.audit, keeping.keys,
        ]  # fmt: skip


def noted(spans: Spans, tickets: list[Ticket], name: str, began: float) -> float:
    """Notes that these requests were in a span since `began`, and says for how many seconds."""
    seconds = time.perf_counter() - began
    spans.by_name[name].add_each(seconds, len(tickets))
    for ticket in tickets:
        ticket.spans[name] = seconds
    return seconds


def need_of(intents: list[Intent], keys: list[tuple[str, str]] | None = None) -> Need:
    """The facts that deciding on these wishes looks at, and the stored answers of these keys."""

    def spans(directory: Directory, visits: dict[str, Visit], now: int) -> list[SpanOf]:
        found: list[SpanOf] = []
        for intent in intents:
            if intent.hold_id in visits:
                found += assess.spans(directory, visits[intent.hold_id])
            before = visits.get(intent.visit_id) if intent.visit_id else None
            if intent.visit_id is None or before is not None:
                found += intent.spans(directory, before, now)
        return found

    def dates(directory: Directory, visits: dict[str, Visit], now: int) -> list[DatesOf]:
        found: list[DatesOf] = []
        for intent in intents:
            before = visits.get(intent.visit_id) if intent.visit_id else None
            if intent.visit_id is None or before is not None:
                found += intent.dates(directory, before, now)
        return found

    return Need(
        spans,
        visits={v for intent in intents for v in (intent.visit_id, *intent.other_visit_ids) if v},
        patients={intent.patient_id for intent in intents if intent.patient_id},
        authorizations={each for intent in intents for each in intent.authorization_ids},
        holds={intent.hold_id for intent in intents if intent.hold_id},
        caregivers={each for intent in intents for each in intent.caregiver_ids},
        keys=keys or [],
        dates=dates,
    )


def need_of_tickets(tickets: list[Ticket]) -> Need:
    parts = [part for ticket in tickets for part in ticket.intent.parts]
    need = need_of(parts, [ticket.stored_key for ticket in tickets if ticket.stored_key is not None])
    need.authorizations.update(*(ticket.intent.authorization_ids for ticket in tickets))
    return need
