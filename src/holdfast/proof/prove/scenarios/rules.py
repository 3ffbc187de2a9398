"""The rules engine: ten hard and twenty soft rules choose among fifty rooms, for every booking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

import msgspec

from holdfast.proof import driver
from holdfast.proof.evidence.watched import Watched
from holdfast.proof.prove.bookings import Asked, Bookings, body
from holdfast.proof.prove.client import Client
from holdfast.proof.prove.organization import Furniture, Organization
from holdfast.proof.prove.rule_documents import EQUIPMENT, HOURS, forbidden, put_into_force, rules
from holdfast.proof.prove.seen import Seen, named, threshold, timing
from holdfast.proof.prove.stage import P99_SAMPLES, About, Checked, Scale, Stage, furnished, scenario
from holdfast.proof.prove.watching import span
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, figure, share

ABOUT = About(
    name="rules", title="Rules engine", reference="000 and 001, scenario 3",
    purpose="Bookings by ten hard and twenty soft rules over fifty rooms: hard rules take rooms away, soft ones change their "
    "order, and the rules are read once.",
    asked="50 users, 10 more each second, 2 minutes; at least 10 hard and 20 soft rules",
)  # fmt: skip
ROOMS, BARE_ROOMS = 50, 10
FURNITURE = Furniture(name="rules", rooms=ROOMS, minutes=30, equipment=(EQUIPMENT,), bare_rooms=BARE_ROOMS)
AT_A_TIME = 20
EVALUATION_P95_MS, HIT_PERCENT = 50, 80
_SLOTS_COMPARED = 20
_EVALUATORS = 4
_TIMES_EVALUATED = 100
_EVALUATE = "/api/v1/policies/evaluate"


@dataclass
class _Compared:
    """The same slots by the hard rules alone, and by all of them. `filtered`: rooms that a rule takes away, of each slot;
    `deltas`: points by which the best room's score differs from the 100 it begins with."""

    orders: list[tuple[list[str], list[str]]]
    filtered: list[int]
    deltas: list[int]
    forbidden_asked: int
    forbidden_refused: int


def run(stage: Stage, scale: Scale) -> model.Scenario:
    began = datetime.now(UTC)
    with stage.organization(FURNITURE) as of, of.signed_in() as admin:
        bookings = Bookings(of, admin.token, stage.seed, ABOUT.name, width=AT_A_TIME, minutes=60, hours=HOURS)
        compared = _compare(of, admin, bookings)
        in_force = admin.got(f"/policies/active?clinic_id={of.clinic}")["rules"]
        before = admin.got("/policies/cache")
        with stage.watching() as watch:
            seen = stage.load(bookings.planned, scale, status=201)
            evaluated = _evaluated(stage, of, admin, bookings)
        after = admin.got("/policies/cache")
        checked = stage.checked([of], seen.operations)
    return _told(stage, scale, began, of, seen, evaluated, compared, checked, watch, in_force,
                 (after["hits"] - before["hits"], after["misses"] - before["misses"]))  # fmt: skip


def _compare(of: Organization, admin: Client, bookings: Bookings) -> _Compared:
    """While nothing is booked: what each kind of rule does to the rooms of some slots."""
    wishes = [bookings.at(bookings.free_time(), n).wishes[0] for n in range(_SLOTS_COMPARED)]
    contents = [msgspec.json.decode(body(of, wish)) for wish in wishes]
    put_into_force(admin, rules(of, ("hard",)))
    by_hard = [admin.must("POST", _EVALUATE, each) for each in contents]
    asked = [each | {"room_id": of.rooms[-1 - n % BARE_ROOMS]} for n, each in enumerate(contents)]
    refused = [admin.must("POST", _EVALUATE, each) for each in asked]
    put_into_force(admin, rules(of))
    by_all = [admin.must("POST", _EVALUATE, each) for each in contents]
    return _Compared(
        orders=[(_order(one), _order(other)) for one, other in zip(by_hard, by_all, strict=True)],
        filtered=[sum(each["rule"] not in {"room_conflict", "room_unavailable"} for each in one["refused"]) for one in by_all],
        deltas=[one["candidates"][0]["score"] - 100 for one in by_all if one["candidates"]],
        forbidden_asked=len(asked), forbidden_refused=sum(not one["would_be_booked"] for one in refused),
    )  # fmt: skip


def _order(evaluation: dict[str, Any]) -> list[str]:
    return [each["room_id"] for each in evaluation["candidates"]]


def _evaluated(stage: Stage, of: Organization, admin: Client, bookings: Bookings) -> Seen:
    """Slots evaluated in full, every room with what every rule says of it, by a few who ask at once."""
    stage.say("evaluating slots")
    requests = []
    times = [bookings.free_time() for _ in range(_TIMES_EVALUATED)]
    for number in range(P99_SAMPLES):
        wish = bookings.at(times[number % len(times)], number).wishes[0]
        requests.append(driver.request("POST", _EVALUATE, admin.headers, body(of, wish)))
    asked = Asked(requests)
    scale = Scale(users=_EVALUATORS, seconds=60)
    return stage.drive(asked, stage.plan(asked, scale, status=200))


def _told(
    stage: Stage, scale: Scale, began: datetime, of: Organization, seen: Seen, evaluated: Seen, compared: _Compared,
    checked: Checked, watch: Watched, in_force: Sequence[dict[str, Any]], cache: tuple[int, int],
) -> model.Scenario:  # fmt: skip
    hits, misses = cache
    asked_for = hits + misses
    slots = seen.granted + evaluated.granted
    hard = sum(each["kind"] == "hard" for each in in_force)
    visits = [each.visit for each in seen.operations if each.visit is not None]
    wrong = count(forbidden(of, visits), max(1, len(visits)))
    changed = sum(one != other for one, other in compared.orders)
    evaluation = timing(
        "evaluation", "a slot evaluated over HTTP, every room by every rule", evaluated.latencies()
    )
    booked = timing("booking", "a booking by these rules, from when it was due", seen.latencies())
    in_server = span(watch.inside, "rules")
    latency = (
        in_server if in_server is not None and in_server.n >= P99_SAMPLES // 5 else evaluation.distribution
    )
    hit_rate, n = share(hits, asked_for), len(compared.filtered)
    reference = ABOUT.reference
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, timings=[booked, evaluation],
        data=[
            *furnished(of),
            named("hard_rules", "hard rules in force", count(hard, max(1, len(in_force)))),
            named("soft_rules", "soft rules in force", count(len(in_force) - hard, max(1, len(in_force)))),
        ],
        windows=[model.Window(what="slots that were compared by hard rules and by all", rows=n)],
        floors=[
            model.Floor(what="bookings granted", least=round(0.99 * seen.planned), reached=seen.granted),
            model.Floor(what="slots evaluated", least=P99_SAMPLES, reached=evaluated.granted),
            model.Floor(what="hard rules in force", least=10, reached=hard),
            model.Floor(what="soft rules in force", least=20, reached=len(in_force) - hard),
        ],
        figures=[
            named("evaluations", "slots evaluated, of bookings and by themselves", count(slots, max(1, slots))),
            named("cache_hit_rate", "rules and rooms found in memory", hit_rate),
            named("rules_per_evaluation", "rules in force for each", figure(len(in_force), "count", max(1, slots))),
            named("evaluation_mean", "a slot by all rules and rooms, mean", latency.mean),
            named("evaluation_p95", "a slot by all rules and rooms, p95", latency.p95),
            named("hard_evaluated", "hard rules asked, slot by slot", count(hard * slots, max(1, slots))),
            named("soft_evaluated", "soft rules asked, slot by slot", count((len(in_force) - hard) * slots, max(1, slots))),
            named("rooms_filtered_out", "rooms that hard rules take away, average of a slot", figure(fmean(compared.filtered), "count", n)),
            named("score_delta", "what soft rules do to the best room's score, average", figure(fmean(compared.deltas), "points", n)),
            named("queries_without_cache", "queries for rules and rooms, were nothing remembered", count(asked_for, max(1, asked_for))),
            named("queries_with_cache", "queries for rules and rooms that were sent", count(misses, max(1, asked_for))),
            named("query_time_reduction", "of the time for these queries, spared", hit_rate),
        ],
        thresholds=[
            threshold("evaluation_p95", "a slot evaluated, p95", "below", EVALUATION_P95_MS, "ms", latency.p95, reference),
            threshold("cache_hit_rate", "rules and rooms found in memory", "at_least", HIT_PERCENT, "%", hit_rate, reference),
            threshold("hard_filters", "visits in a room that a hard rule forbids", "exactly", 0, "count", wrong, reference,
                      is_law=True),
            threshold("hard_filters_refuse", "forbidden rooms asked for by name, and refused", "exactly", 100, "%",
                      share(compared.forbidden_refused, compared.forbidden_asked), reference, is_law=True),
            threshold("soft_order", "slots of which soft rules change the order of rooms", "at_least", 1, "count",
                      count(changed, max(1, n)), reference),
        ],
    )  # fmt: skip
