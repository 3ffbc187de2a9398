"""Contention for one authorization: everybody asks for its units at once, and exactly as many are granted as there are."""

from collections.abc import Sequence
from datetime import UTC, datetime

from holdfast.proof.prove import units
from holdfast.proof.prove.organization import Furniture
from holdfast.proof.prove.seen import Seen, named, threshold, timing
from holdfast.proof.prove.stage import About, Scale, Stage, furnished, scenario
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, distribution, figure, share, value

ABOUT = About(
    name="contention", title="Contention for one authorization", reference="004, scenario 1",
    purpose="Fifty users ask for ten units each of the same fifty: five are granted, everybody else is told that there are "
    "no more.",
    asked="50 users, 60 seconds, 10 units each of one authorization of 50",
)  # fmt: skip
FURNITURE = Furniture(name="contention", practitioners=10, patients=20, authorizations=units.for_seed())
EACH, GRANTED = 10, 5
P95_MS, P99_MS = 200, 500
_CURVE_CLIENTS, _CURVE_REQUESTS, _CURVE_SECONDS_MAX = (1, 5, 10, 25, 50, 100), 400, 60.0
_CURVE_FROM = sum(units.SEED_AUTHORIZATIONS[:2])
"""The first of the large authorizations: one for each point of the curve."""
_REFUSED_AS = "insufficient_units"


def run(stage: Stage, scale: Scale) -> model.Scenario:
    began = datetime.now(UTC)
    with stage.organization(FURNITURE) as of, of.signed_in() as admin:
        plans = units.Units(units.accounts(of, admin.token), stage.seed, ABOUT.name)
        with stage.watching() as watch:
            seen = stage.load(lambda n: plans.one(n, EACH), scale, status=200, also=409)
        points = _points(stage, plans)
        checked = stage.checked(
            [of], [*seen.operations, *(each for _, one in points for each in one.operations)]
        )
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
        curves=(_curve(points),),
    )  # fmt: skip


def _points(stage: Stage, plans: units.Units) -> list[tuple[int, Seen]]:
    """One busy authorization with units enough, asked by more and more clients as fast as they are answered."""
    found = []
    for number, clients in enumerate(_CURVE_CLIENTS):
        stage.say(f"{clients} at once")
        asked = plans.one(_CURVE_REQUESTS, 1, _CURVE_FROM + number)
        closed = Scale(users=clients, seconds=_CURVE_SECONDS_MAX)
        found.append((clients, stage.drive(asked, stage.plan(asked, closed, status=200))))
    return found


def _curve(points: Sequence[tuple[int, Seen]]) -> model.Curve:
    latencies = [(float(clients), distribution(seen.latencies())) for clients, seen in points]
    p50 = tuple((at, found) for at, of in latencies if (found := value(of.p50)) is not None)
    p95 = tuple((at, found) for at, of in latencies if (found := value(of.p95)) is not None)
    goodput = tuple((float(clients), round(seen.per_second, 1)) for clients, seen in points)
    return model.Curve(
        name="contention", title="Latency and goodput against clients of one authorization", x_label="clients at once",
        lines=(
            model.Series(name="p50", unit="ms", points=p50), model.Series(name="p95", unit="ms", points=p95),
            model.Series(name="goodput", unit="per_second", points=goodput),
        ),
    )  # fmt: skip
