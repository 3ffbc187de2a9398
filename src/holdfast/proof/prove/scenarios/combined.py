"""Everything at once: the storm, the races for rooms, bookings by rules and mixed work on units, in one stream of requests."""

import random
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from holdfast.proof.prove import units
from holdfast.proof.prove.bookings import Asked, Bookings
from holdfast.proof.prove.organization import Furniture
from holdfast.proof.prove.rule_documents import HOURS, put_into_force, rules
from holdfast.proof.prove.scenarios import conflict, storm
from holdfast.proof.prove.scenarios import rules as rules_scenario
from holdfast.proof.prove.seen import Seen, double_bookings, named, threshold, timing
from holdfast.proof.prove.stage import About, Scale, Stage, furnished, scenario
from holdfast.proof.report import model
from holdfast.proof.report.figures import figure, share

ABOUT = About(
    name="combined", title="Everything at once", reference="001, all scenarios combined",
    purpose="The storm, the conflicts, the rules and the units in one stream of requests, each in an organization of its own.",
    asked="50 users, 10 more each second, 5 minutes, all scenarios",
)  # fmt: skip
_PARTS = 4
"""A quarter of the requests for each."""
P95_MS = 100


def run(stage: Stage, scale: Scale) -> model.Scenario:
    began = datetime.now(UTC)
    each = -(-scale.requests // _PARTS)
    funded = Furniture(
        name="combined units", practitioners=1, patients=20, authorizations=units.for_mixed(each)
    )
    furnitures = (storm.FURNITURE, conflict.FURNITURE, rules_scenario.FURNITURE, funded)
    with ExitStack() as stack:
        of = [stack.enter_context(stage.organization(furniture)) for furniture in furnitures]
        admins = [stack.enter_context(one.signed_in()) for one in of]
        put_into_force(admins[2], rules(of[2]))
        plans = (
            Bookings(of[0], admins[0].token, stage.seed, "combined-storm").planned(each),
            Bookings(of[1], admins[1].token, stage.seed, "combined-conflict").races(-(-each // conflict.RIVALS), conflict.RIVALS),
            Bookings(
                of[2], admins[2].token, stage.seed, "combined-rules", width=rules_scenario.AT_A_TIME, minutes=60, hours=HOURS
            ).planned(each),
            units.Units(units.accounts(of[3], admins[3].token), stage.seed, "combined-units").mixed(each),
        )  # fmt: skip
        asked = interleaved(plans, stage.seed)
        with stage.watching() as watch:
            plan = stage.plan(asked, scale, status=201, also=409, others_expected=(200,))
            seen = stage.drive(asked, plan)
        checked = stage.checked(of, seen.operations)
    booked = timing("request", "any of them, granted or refused, from when it was due", seen.latencies())
    latency, doubles, reference = (
        booked.distribution,
        double_bookings(seen.operations),
        ABOUT.reference,
    )
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began,
        data=[
            named(f"{one.name}_{number}", f"{one.what}, organization {number}", one.figure)
            for number, organization in enumerate(of, 1) for one in furnished(organization)
        ],
        timings=[booked, *_by_answer(seen)],
        windows=[model.Window(what=f"requests of the {furniture.name} part", rows=len(part))
                 for furniture, part in zip(furnitures, plans, strict=True)],
        floors=[model.Floor(what="requests granted", least=round(0.6 * seen.planned), reached=seen.granted)],
        figures=[
            named("throughput", "requests granted a second", figure(seen.per_second, "per_second", max(1, seen.granted))),
            named("error_rate", "neither granted nor refused by a rule", seen.error_rate()),
            named("refused_share", "requests refused by a rule", share(seen.refused, seen.offered)),
            named("deadlocks", "deadlocks in the database", watch.deadlocks),
            named("double_bookings", "visits that were given a room already taken", doubles),
            named("overbooked", "authorizations of which more is promised than there is", checked.overbooked),
        ],
        thresholds=[
            threshold("p95", "any request, p95", "below", P95_MS, "ms", latency.p95, reference),
            threshold("deadlocks", "deadlocks", "exactly", 0, "count", watch.deadlocks, reference, is_law=True, evidence="database"),
            threshold("double_bookings", "rooms given twice", "exactly", 0, "count", doubles, reference, is_law=True),
            threshold("overbooked", "authorizations promised twice", "exactly", 0, "count", checked.overbooked, reference,
                      is_law=True),
        ],
    )  # fmt: skip


def interleaved(parts: Sequence[Asked], seed: int) -> Asked:
    """All parts shuffled into one another, each in its own order."""
    chance = random.Random(f"{seed} interleaved")  # noqa: S311 - the same order for the same seed
    turns = [number for number, part in enumerate(parts) for _ in range(len(part))]
    chance.shuffle(turns)
    places = [0] * len(parts)
    asked = Asked()
    for number in turns:
        place, part = places[number], parts[number]
        asked.requests.append(part.requests[place])
        asked.wishes.append(part.wishes[place])
        places[number] += 1
    return asked


def _by_answer(seen: Seen) -> list[model.Timing]:
    return [
        timing("booking", "a booking that was granted, from when it was due", seen.latencies(201)),
        timing("units", "units reserved, released or consumed, from when they were due", seen.latencies(200)),
        timing("refusal", "a refusal, from when it was due", seen.latencies(409)),
    ]  # fmt: skip
