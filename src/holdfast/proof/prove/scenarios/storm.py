"""The booking storm: many book at once, each a time that nobody else wants, and every one of them gets it."""

from datetime import UTC, datetime

from holdfast.proof.prove.bookings import Bookings
from holdfast.proof.prove.organization import Furniture
from holdfast.proof.prove.seen import double_bookings, named, threshold, timing
from holdfast.proof.prove.stage import About, Scale, Stage, furnished, scenario
from holdfast.proof.report import model
from holdfast.proof.report.figures import figure

ABOUT = About(
    name="storm", title="Concurrent booking storm", reference="000 and 001, scenario 1; our S4",
    purpose="Bookings with room assignment from many users at once; there is room and time for all of them.",
    asked="50 users, 10 more each second, 2 minutes",
)  # fmt: skip
FURNITURE = Furniture(name="storm")
P95_MS, PER_SECOND = 100, 20


def run(stage: Stage, scale: Scale) -> model.Scenario:
    began = datetime.now(UTC)
    with stage.organization(FURNITURE) as of, of.signed_in() as admin:
        bookings = Bookings(of, admin.token, stage.seed, ABOUT.name)
        with stage.watching() as watch:
            seen = stage.load(bookings.planned, scale, status=201)
        checked = stage.checked([of], seen.operations)
        rooms = sum(each.visit is not None and each.visit.room_id is not None for each in seen.operations)
    booked = timing("booking", "a booking with its room, from when it was due", seen.latencies())
    duplicates = double_bookings(seen.operations)
    latency = booked.distribution
    throughput = figure(seen.per_second, "per_second", max(1, seen.granted))
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, data=furnished(of),
        timings=[booked],
        windows=[model.Window(what="bookings that were planned, each with a free room", rows=seen.planned)],
        floors=[model.Floor(what="bookings granted", least=round(0.99 * seen.planned), reached=seen.granted)],
        figures=[
            named("throughput", "bookings granted a second", throughput),
            named("room_assignment_mean", "booking with its room, mean", latency.mean),
            named("room_assignment_p95", "booking with its room, p95", latency.p95),
            named("rooms_assigned", "bookings that were given a room", figure(rooms, "count", max(1, seen.granted))),
            named("deadlocks", "deadlocks in the database", watch.deadlocks),
            named("duplicates", "visits that were given a room already taken", duplicates),
        ],
        thresholds=[
            threshold("granted", "planned bookings that were granted", "exactly", 100, "%", seen.granted_share, ABOUT.reference),
            threshold("p95", "booking with its room, p95", "below", P95_MS, "ms", latency.p95, ABOUT.reference),
            threshold("deadlocks", "deadlocks", "exactly", 0, "count", watch.deadlocks, ABOUT.reference, is_law=True, evidence="database"),
            threshold("duplicates", "rooms given twice", "exactly", 0, "count", duplicates, ABOUT.reference, is_law=True),
            threshold("throughput", "bookings a second", "at_least", PER_SECOND, "per_second", throughput, ABOUT.reference),
        ],
    )  # fmt: skip
