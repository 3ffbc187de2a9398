"""Throughput: many users reserve units of many authorizations, and hardly ever meet."""

from datetime import UTC, datetime

from holdfast.proof.prove import units
from holdfast.proof.prove.seen import named, threshold, timing
from holdfast.proof.prove.stage import About, Scale, Stage, scenario
from holdfast.proof.prove.three import three
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, figure

ABOUT = About(
    name="throughput", title="Units over many authorizations", reference="004, scenario 2",
    purpose="Two hundred users reserve units of 55 authorizations in three organizations; there is enough for all.",
    asked="up to 200 users, 5 minutes, 5 units each of 55 authorizations",
)  # fmt: skip
EACH = 5
P95_MS, P99_MS, ERRORS_PERCENT, PER_SECOND = 150, 300, 2, 100


def run(stage: Stage, scale: Scale) -> model.Scenario:
    began = datetime.now(UTC)
    with three(stage, ABOUT.name, units.for_spread(scale.requests, EACH)) as of:
        plans = units.Units(of.accounts(), stage.seed, ABOUT.name)
        with stage.watching() as watch:
            seen = stage.load(lambda n: plans.spread(n, EACH), scale, status=200)
        checked = stage.checked(of.organizations, seen.operations)
        data = of.data()
    asked = timing("reserve", "a reservation, from when it was due", seen.latencies())
    latency, errors = asked.distribution, seen.error_rate()
    throughput = figure(seen.per_second, "per_second", max(1, seen.granted))
    reference = ABOUT.reference
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, data=data, timings=[asked],
        windows=[model.Window(what="authorizations with units enough", rows=sum(units.SEED_AUTHORIZATIONS))],
        floors=[model.Floor(what="reservations granted", least=round(0.98 * seen.planned), reached=seen.granted)],
        figures=[
            named("throughput", "reservations granted a second", throughput),
            named("error_rate", "neither granted nor refused by a rule", errors),
            named("overbooked", "authorizations of which more is promised than there is", checked.overbooked),
            named("refused", "reservations refused by a rule", count(seen.refused, max(1, seen.offered))),
        ],
        thresholds=[
            threshold("p95", "a reservation, p95", "below", P95_MS, "ms", latency.p95, reference),
            threshold("p99", "a reservation, p99", "below", P99_MS, "ms", latency.p99, reference),
            threshold("error_rate", "neither granted nor refused by a rule", "below", ERRORS_PERCENT, "%", errors, reference),
            threshold("throughput", "reservations a second", "at_least", PER_SECOND, "per_second", throughput, reference),
            threshold("overbooked", "authorizations promised twice", "exactly", 0, "count", checked.overbooked, reference,
                      is_law=True),
        ],
    )  # fmt: skip
