"""The rules that are in force in an organization, and which of them are about a visit.

Scopes from wide to narrow: global (shipped), organization, clinic, service, practitioner. A rule takes the place of the one
of its name in a wider scope. A rule that cannot be understood (saved by another release, or by hand) fails closed: a hard one
refuses everything, a soft one counts for nothing, and both are reported.
"""

from collections.abc import Iterable
from typing import Final

from holdfast.errors import Invalid
from holdfast.rules.facts import Directory, PolicyDocument
from holdfast.rules.policy.document import SHIPPED, decode
from holdfast.rules.policy.program import Fault, Program, Scoped
from holdfast.rules.policy.question import NOBODY_NEEDS, Question
from holdfast.rules.policy.rule import Kind, Rule, VisitJudge, VisitRule
from holdfast.rules.policy.types.buffer_time import BufferTime
from holdfast.rules.timetable import Timetable

SCOPES: Final = ("global", "organization", "clinic", "service", "practitioner")


class Unreadable(VisitRule, frozen=True, kw_only=True, tag="unreadable"):
    """Stands where a rule cannot be understood."""

    def judge(self) -> VisitJudge:
        def refuses(_question: Question, _timetable: Timetable) -> str | None:
            return f"The rule {self.name} cannot be read, so nothing passes it."

        return refuses


class Policy:
    """`version` names the whole set of active documents."""

    def __init__(self, version: int, documents: Iterable[PolicyDocument]) -> None:
        self.version = version
        self.faults: dict[str, Fault] = {}
        """What could not be judged, by rule; whoever decides reports it."""

        self._programs: dict[object, Program] = {}
        self._scopes: dict[tuple[str, str | None], tuple[Rule, ...]] = {("global", None): SHIPPED}
        for each in documents:
            self._scopes[each.scope, each.scope_id] = self._read(each)
        rules = [rule for own in self._scopes.values() for rule in own if rule.enabled]
        self.asks_history = any(rule.asks_history or _asks_kind(rule) for rule in rules)
        self.asks_practitioners_day = any(rule.asks_practitioners_day for rule in rules)
        self._asks_needs = any(rule.when is not None and rule.when.needs for rule in rules)
        self._asks_kind = any(_asks_kind(rule) for rule in rules)
        self.asks_buffers = any(isinstance(rule, BufferTime) for rule in rules)
        self._practitioners = frozenset(
            [scope_id for scope, scope_id in self._scopes if scope == "practitioner"]
            + [who for rule in rules for who in getattr(rule, "practitioner_ids", ())]
        )
        self._services = frozenset(
            [scope_id for scope, scope_id in self._scopes if scope == "service"]
            + [each for rule in rules if rule.when is not None for each in rule.when.service_ids]
        )

    def _read(self, document: PolicyDocument) -> tuple[Rule, ...]:
        found: list[Rule] = []
        for rule in document.rules:
            try:
                found += decode([rule])
            except Invalid as error:
                name = str(rule.get("name"))
                self.faults[name] = Fault(name, f"unreadable: {error}")
                kind: Kind = "soft" if rule.get("kind") == "soft" else "hard"
                found.append(Unreadable(name=name, kind=kind, enabled=kind == "hard"))
        return tuple(found)

    def rules_for(
        self, clinic_id: str | None, service_id: str | None, practitioner_id: str | None
    ) -> list[Scoped]:
        """The rules that hold there, by name, each with the scope it comes from; those switched off are among them."""
        inherited: dict[str, Scoped] = {}
        for narrowness, scope in enumerate(SCOPES):
            place = {"clinic": clinic_id, "service": service_id, "practitioner": practitioner_id}.get(scope)
            for rule in self._scopes.get((scope, place), ()):
                inherited[rule.name] = Scoped(narrowness, rule)
        return [inherited[name] for name in sorted(inherited)]

    def key(self, question: Question) -> tuple[object, ...]:
        """What rules that do not look at the time can tell of a question beside its service: equal keys, equal answers."""
        service = question.service.id if question.service.id in self._services else None
        first, named = None, None
        if self._practitioners:
            whose = question.practitioner_ids
            first = whose[0] if whose[0] in self._practitioners else None
            named = tuple([each for each in whose if each in self._practitioners])
        return (
            question.clinic.id, service, first, named,
            question.needs if self._asks_needs else NOBODY_NEEDS,
            question.kind if self._asks_kind else None,
        )  # fmt: skip

    def program(self, question: Question) -> Program:
        """The rules about a visit, compiled once."""
        key = self.key(question)
        found = self._programs.get(key)
        if found is None:
            found = self._programs[key] = self._compiled(key, question, question.practitioner_ids[0])
        return found

    def _compiled(self, key: tuple[object, ...], question: Question, practitioner_id: str) -> Program:
        lasting = [
            each
            for each in self.rules_for(question.clinic.id, question.service.id, practitioner_id)
            if each.rule.enabled and (each.rule.when is None or each.rule.when.allows_lastingly(question))
        ]
        return Program(key, lasting, self.faults)

    def buffer_minutes(self, question: Question, practitioner_id: str) -> int | None:
        """How long a practitioner needs after the visit by rule; None: as long as they say themselves."""
        key = ("buffer", question.clinic.id, question.service.id, practitioner_id)
        found = self._programs.get(key)
        if found is None:
            found = self._programs[key] = self._compiled(key, question, practitioner_id)
        return found.minutes(BufferTime, question)


def _asks_kind(rule: Rule) -> bool:
    return rule.when is not None and rule.when.patient is not None


def in_force(directory: Directory) -> Policy:
    """The directory's policy, compiled once and kept as long as the directory is."""
    found: Policy | None = directory.remembered.get("policy")
    if found is None:
        found = directory.remembered["policy"] = Policy(directory.policy_version, directory.policies)
    return found
