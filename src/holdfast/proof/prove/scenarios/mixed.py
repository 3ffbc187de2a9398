"""Mixed work on units: most is reserved, some released, some consumed, and a fifth of it meets on one authorization."""

from datetime import UTC, datetime

from holdfast.proof.prove import units
from holdfast.proof.prove.seen import Seen, named, threshold, timing
from holdfast.proof.prove.stage import About, Scale, Stage, scenario
from holdfast.proof.prove.three import three
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, figure, share

ABOUT = About(
    name="mixed", title="Mixed work on units", reference="004, scenario 3",
    purpose="A clinic's day by a hundred users: 70 % reserve, 20 % release, 10 % consume; a fifth of it on one authorization, "
    "which runs full.",
    asked="100 users, 10 minutes, 70/20/10 reserve, release and consume, 80/20 over the authorizations",
)  # fmt: skip
P95_MS = 175
REFUSED_PERCENT = (5, 30)


def run(stage: Stage, scale: Scale) -> model.Scenario:
    began = datetime.now(UTC)
    with three(stage, ABOUT.name, units.for_mixed(scale.requests)) as of:
        plans = units.Units(of.accounts(), stage.seed, ABOUT.name)
        with stage.watching() as watch:
            seen = stage.load(plans.mixed, scale, status=200, also=409)
        checked = stage.checked(of.organizations, seen.operations)
        data = of.data()
    kinds = {
        kind: [each.end - (each.due or each.begin) for each in seen.operations if each.end and each.wish.kind == kind]
        for kind in units.SHARES
    }  # fmt: skip
    asked = timing("request", "any of them, granted or refused, from when it was due", seen.latencies())
    refused = share(seen.refused, seen.offered)
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, data=data,
        timings=[asked, *(timing(kind, f"{kind}, from when it was due", took) for kind, took in kinds.items())],
        windows=[model.Window(what="authorizations, of which the first runs full", rows=sum(units.SEED_AUTHORIZATIONS))],
        floors=[model.Floor(what="requests granted", least=round(0.7 * seen.planned), reached=seen.granted)],
        figures=[
            named("throughput", "requests granted a second", figure(seen.per_second, "per_second", max(1, seen.granted))),
            named("refused_share", "requests refused by a rule", refused),
            named("overbooked", "authorizations of which more is promised than there is", checked.overbooked),
            named("error_rate", "neither granted nor refused by a rule", seen.error_rate()),
            named("deadlocks", "deadlocks in the database", watch.deadlocks),
        ],
        thresholds=[
            threshold("p95", "any request, p95", "below", P95_MS, "ms", asked.distribution.p95, ABOUT.reference),
            threshold("unexplained", "refusals that do not say why", "exactly", 0, "count", unexplained(seen), ABOUT.reference),
            threshold("overbooked", "authorizations promised twice", "exactly", 0, "count", checked.overbooked, ABOUT.reference,
                      is_law=True),
        ],
        invalid=not_contended(refused),
    )  # fmt: skip


def unexplained(seen: Seen) -> model.Figure:
    """Refusals without a code."""
    bare = sum(
        each.outcome == "fail" and (each.refusal is None or not each.refusal.code) for each in seen.operations
    )
    return count(bare, max(1, seen.refused))


def not_contended(refused: model.Cell) -> tuple[str, ...]:
    """Why the scenario says nothing: hardly anything was refused, or most of it."""
    least, most = REFUSED_PERCENT
    if isinstance(refused, model.Figure) and least <= refused.value <= most:
        return ()
    found = f"{refused.value:.1f} %" if isinstance(refused, model.Figure) else "an unknown share"
    return (f"{found} of the requests were refused by a rule; with {least} to {most} % it is contention.",)
