"""`/policies` and `/rule-types`: how rooms are chosen, as documents of rules that are saved, put into force and rolled
back. A document's `version` is its number in the organization; that of all that is in force is the `policy_version`.
"""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from holdfast.api import lists, nouns
from holdfast.api.dates import check_range
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.wire import Id
from holdfast.commands import policies
from holdfast.commands.dry_run import tried
from holdfast.commands.gather import Need
from holdfast.commands.policies import POLICY
from holdfast.commands.reading import snapshot
from holdfast.db.statements import statement
from holdfast.rules.policy import document
from holdfast.rules.policy.policy import SCOPES, in_force

_Rule = dict[str, Any]
Scope = Literal["organization", "clinic", "service", "practitioner"]
Status = Literal["validated", "active", "replaced", "rolled_back"]


class NewPolicy(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """All rules of a scope; what they replace is the whole document before. `scope_id`: the clinic, service or
    practitioner. The fields of each rule are those that `GET /rule-types` tells of its type."""

    scope: Literal["global", "organization", "clinic", "service", "practitioner"]
    scope_id: Id | None = None
    rules: Annotated[
        list[Annotated[_Rule, Meta(extra_json_schema=document.schema())]], Meta(max_length=document.RULES_MAX)
    ]


class Policy(msgspec.Struct, kw_only=True):
    """`validated`: saved, and never in force so far. A document that is put into force again is numbered anew."""

    id: str
    version: int
    scope: Scope
    scope_id: str | None
    status: Status
    rules: list[_Rule]
    created_by: str | None
    created_at: str
    activated_at: str | None
    ended_at: str | None


class PolicyChange(Policy, kw_only=True):
    """`in_force_id`: the document that is in force in this scope now, if any."""

    policy_version: int
    in_force_id: str | None


class PolicyQuery(lists.Paged, kw_only=True):
    scope: Scope | None = None
    scope_id: Id | None = None
    status: Status | None = None


class ActiveQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Without an id its scope is left out."""

    clinic_id: Id | None = None
    service_id: Id | None = None
    practitioner_id: Id | None = None


class RuleFault(msgspec.Struct, kw_only=True):
    """A rule that this process could not judge: a hard one refuses everything, a soft one says nothing."""

    rule: str
    why: str


class ActivePolicy(msgspec.Struct, kw_only=True):
    """`rules`: by name, each with all of its fields and the `scope`, `scope_id` and `policy_id` that it comes from; what
    is shipped has no policy's id."""

    version: int
    rules: list[_Rule]
    faults: list[RuleFault]


class DryRun(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Dates are each clinic's own, both inclusive. Without a clinic: the policy's own, or all of them."""

    start_date: date
    end_date: date
    clinic_id: Id | None = None


class Broken(msgspec.Struct, kw_only=True):
    rule: str
    type: str
    reason: str


class Rehoused(msgspec.Struct, kw_only=True):
    """A visit that would have another room or none, or would be against a hard rule whatever its room. `before` is by the
    rules in force, `after` by the policy."""

    appointment_id: str
    start: str
    room_id_before: str | None
    room_id_after: str | None
    score_before: int | None
    score_after: int | None
    reasons: list[str]
    against: list[Broken]


class Counts(msgspec.Struct, kw_only=True):
    """`same`: those not in the list. `with_room`: had none before; `without_room`: would have none. `score_gained`: over
    the visits that have a room both times."""

    looked_at: int
    same: int
    moved: int
    with_room: int
    without_room: int
    against_rules: int
    score_gained: int


class Tried(msgspec.Struct, kw_only=True):
    visits: list[Rehoused]
    counts: Counts


class RuleTypes(lists.Page, kw_only=True):
    items: list[dict[str, Any]]


class Cache(msgspec.Struct, kw_only=True):
    """This process's, since it started. `hit_rate` is 0 when nothing was asked for."""

    hits: int
    misses: int
    hit_rate: float


async def create(ask: Ask[NoFields, NewPolicy]) -> Answer:
    body = ask.body
    return Answer.of(await policies.save(ask.house, ask.asked, body.scope, body.scope_id, body.rules))


async def get(ask: Ask[NoFields, Any]) -> Answer:
    return await nouns.got(ask, POLICY)


async def listing(ask: Ask[PolicyQuery, Any]) -> Answer:
    return await nouns.listed(ask, POLICY)


async def activate(ask: Ask[NoFields, Any]) -> Answer:
    return Answer.of(await policies.activate(ask.house, ask.asked, ask.id()))


async def roll_back(ask: Ask[NoFields, Any]) -> Answer:
    return Answer.of(await policies.roll_back(ask.house, ask.asked, ask.id()))


async def dry_run(ask: Ask[NoFields, DryRun]) -> Answer:
    body = ask.body
    check_range(body.start_date, body.end_date, ask.house.settings.availability_days_max)
    told, seq = await tried(ask.house, ask.asked, ask.id(), body.start_date, body.end_date, body.clinic_id)
    return Answer(told, seq=seq)


async def active(ask: Ask[ActiveQuery, Any]) -> Answer:
    async with snapshot(ask.house, ask.actor.organization_id) as reading:
        seen = await reading.gather(Need())
    directory, query = seen.directory, ask.query
    whose = (None, None, query.clinic_id, query.service_id, query.practitioner_id)
    documents = {(each.scope, each.scope_id): each.id for each in directory.policies}
    rules = []
    for narrowness, rule in in_force(directory).rules_for(*whose[2:]):
        scope, scope_id = SCOPES[narrowness], whose[narrowness]
        came_from = {"scope": scope, "scope_id": scope_id, "policy_id": documents.get((scope, scope_id))}
        rules.append(msgspec.to_builtins(rule) | came_from)
    version = directory.policy_version
    faults = [RuleFault(rule=each.rule, why=each.why) for each in in_force(directory).faults.values()]
    return Answer(
        ActivePolicy(version=version, rules=rules, faults=faults), version=version, seq=seen.facts.seq
    )


async def rule_types(ask: Ask[lists.Paged, Any]) -> Answer:
    described, page_size = document.describe(), lists.size(ask, ask.query)
    first = (ask.query.page - 1) * page_size
    shown = lists.page(ask, ask.query, described[first : first + page_size], len(described))
    return Answer(shown, seq=await _seq(ask))


async def cache(ask: Ask[NoFields, Any]) -> Answer:
    counted = ask.house.policy_cache
    shown = Cache(hits=counted.hits, misses=counted.misses, hit_rate=counted.hit_rate)
    return Answer(shown, seq=await _seq(ask))


async def _seq(ask: Ask[Any, Any]) -> int:
    organization = ask.actor.organization_id
    async with ask.house.database.reading(organization) as connection:
        seq: int = await connection.fetchval(statement("turn_seq"), organization)
    return seq


_POLICIES, _ONE = "/api/v1/policies", "/api/v1/policies/{id}"

ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "POST", _POLICIES, create, "policies.write", "Save the rules of a scope; they are not in force yet",
        body=NewPolicy, answer=Policy, status=201, refusals=("not_found",), tag="policies",
    ),
    Route(
        "GET", _POLICIES, listing, "policies.read", "List policies, newest number first", query=PolicyQuery,
        answer=nouns.page_of(Policy), tag="policies",
    ),
    Route(
        "GET", f"{_POLICIES}/active", active, "policies.read", "The rules in force, narrower scopes over wider ones",
        query=ActiveQuery, answer=ActivePolicy, tag="policies",
    ),
    Route(
        "GET", f"{_POLICIES}/cache", cache, "policies.read", "How often a compiled policy was in memory", answer=Cache,
        tag="policies",
    ),
    Route("GET", _ONE, get, "policies.read", "Get a policy", answer=Policy, tag="policies"),
    Route(
        "POST", f"{_ONE}/activate", activate, "policies.write", "Put a policy into force", answer=PolicyChange,
        refusals=("version_mismatch",), tag="policies",
    ),
    Route(
        "POST", f"{_ONE}/rollback", roll_back, "policies.write", "Put the policy before it into force again",
        answer=PolicyChange, refusals=("policy_not_active", "version_mismatch"), tag="policies",
    ),
    Route(
        "POST", f"{_ONE}/dry-run", dry_run, "policies.write", "What a policy would do to the visits of some days; nothing is changed",
        body=DryRun, answer=Tried, refusals=("not_found", "version_mismatch"), tag="policies",
    ),
    Route(
        "GET", "/api/v1/rule-types", rule_types, "policies.read", "Every type of rule with its fields",
        query=lists.Paged, answer=RuleTypes, tag="policies",
    ),
)  # fmt: skip
