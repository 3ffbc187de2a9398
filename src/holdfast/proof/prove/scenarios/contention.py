"""Contention for one authorization: everybody asks for its units at once, and exactly as many are granted as there are."""

from datetime import UTC, datetime

from holdfast.proof.prove import units
from holdfast.proof.prove.organization import Furniture
from holdfast.proof.prove.seen import named, threshold, timing
from holdfast.proof.prove.stage import About, Scale, Stage, furnished, scenario
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, figure, share

ABOUT = About(
    name="contention", title="Contention for one authorization", reference="004, scenario 1",
    purpose="Fifty users ask for ten units each of the same fifty: five are granted, everybody else is told that there are "
    "no more.",
    asked="50 users, 60 seconds, 10 units each of one authorization of 50",
)  # fmt: skip
FURNITURE = Furniture(name="contention", practitioners=10, patients=20, authorizations=units.for_seed())
EACH, GRANTED = 10, 5
P95_MS, P99_MS = 200, 500
_REFUSED_AS = "insufficient_units"


def run(stage: Stage, scale: Scale) -> model.Scenario:
    began = datetime.now(UTC)
    with stage.organization(FURNITURE) as of, of.signed_in() as admin:
        plans = units.Units(units.accounts(of, admin.token), stage.seed, ABOUT.name)
        with stage.watching() as watch:
            seen = stage.load(lambda n: plans.one(n, EACH), scale, status=200, also=409)
        checked = stage.checked([of], seen.operations)
        left = admin.got(f"/authorizations/{of.authorizations[0]}")
    asked = timing("reserve", "a reservation, granted or refused, from when it was due", seen.latencies())
    latency = asked.distribution
    others = sum(n for (_, code), n in seen.statuses.items() if code not in {"granted", _REFUSED_AS})
    granted = count(seen.granted, max(1, seen.offered))
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, data=furnished(of), timings=[asked],
        windows=[model.Window(what="units of the authorization that everybody wants", rows=units.SMALL)],
        floors=[
            model.Floor(what="reservations granted", least=GRANTED, reached=seen.granted),
            model.Floor(what="reservations refused because nothing is left", least=scale.users, reached=seen.refused),
        ],
        figures=[
            named("throughput", "requests answered a second",
                  figure(len(seen.samples) / seen.seconds if seen.seconds else 0.0, "per_second", max(1, len(seen.samples)))),
            named("error_rate", "neither granted nor refused by a rule", seen.error_rate()),
            named("overbooked", "authorizations of which more is promised than there is", checked.overbooked),
            named("granted", "reservations granted", granted),
            named("refused_share", "reservations refused by a rule", share(seen.refused, seen.offered)),
            named("left", "units left of the authorization", count(left["available_units"], units.SMALL)),
        ],
        thresholds=[
            threshold("granted", "granted, of 50 units asked for by tens", "exactly", GRANTED, "count", granted, ABOUT.reference,
                      is_law=True),
            threshold("others", "answers that are neither granted nor 409 insufficient_units", "exactly", 0, "count",
                      count(others, max(1, seen.offered)), ABOUT.reference),
            threshold("p95", "a reservation, p95", "below", P95_MS, "ms", latency.p95, ABOUT.reference),
            threshold("p99", "a reservation, p99", "below", P99_MS, "ms", latency.p99, ABOUT.reference),
            threshold("overbooked", "authorizations promised twice", "exactly", 0, "count", checked.overbooked, ABOUT.reference,
                      is_law=True),
        ],
    )  # fmt: skip
