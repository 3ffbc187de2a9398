"""Room conflicts: many want the same few rooms at the same time. As many get one as there are rooms, the others are told why
not and what could be had instead.
"""

from datetime import UTC, datetime

from holdfast.proof.prove.alternatives import REFUSALS_TRIED, Alone, Desks, table
from holdfast.proof.prove.bookings import Bookings
from holdfast.proof.prove.organization import Furniture
from holdfast.proof.prove.seen import Seen, double_bookings, named, threshold, timing
from holdfast.proof.prove.stage import About, Scale, Stage, furnished, scenario
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, share

ABOUT = About(
    name="conflict", title="Room conflicts", reference="000 and 001, scenario 2",
    purpose="Fifty want each time at once, and there are ten rooms: nobody gets a room twice, and everybody else is told "
    "what is free.",
    asked="50 users, 10 rooms, 10 more users each second, 2 minutes, overlapping times",
)  # fmt: skip
FURNITURE = Furniture(name="conflict", patients=60)
RIVALS = 50
DETECTION_P95_MS = 50


def run(stage: Stage, scale: Scale) -> model.Scenario:
    began = datetime.now(UTC)
    with stage.organization(FURNITURE) as of, of.signed_in() as admin:
        bookings = Bookings(of, admin.token, stage.seed, ABOUT.name)
        desks = Desks(of, admin, bookings)
        with stage.watching() as watch, desks.busy():
            seen = stage.load(lambda n: bookings.races(-(-n // RIVALS), RIVALS), scale, status=201, also=409)
        stage.say("trying what was offered instead")
        tried = Alone(of, admin, bookings)
        tried.all()
        operations = seen.operations + desks.operations + tried.operations
        checked = stage.checked([of], operations)
    races = seen.planned // RIVALS
    detected = timing("conflict", "a booking that was refused, from when it was due", seen.latencies(409))
    doubles = double_bookings(seen.operations)
    roomless = _without_room(seen)
    failed = seen.error_rate()
    latency = detected.distribution
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, data=furnished(of),
        timings=[detected, timing("booking", "a booking that was granted, from when it was due", seen.latencies(201))],
        windows=[model.Window(what="times that fifty people wanted", rows=races)],
        floors=[
            model.Floor(what="visits, as many as there are rooms at each time", least=races * FURNITURE.rooms,
                        reached=seen.granted),
            model.Floor(what="bookings refused because all rooms were taken", least=races, reached=seen.refused),
            model.Floor(what="alternatives tried while nobody else wrote", least=REFUSALS_TRIED, reached=tried.tried),
        ],
        figures=[
            named("conflicts_detected", "bookings refused for a room or a time", count(seen.refused, max(1, seen.offered))),
            named("alternative_rooms_assigned", "rooms and times offered instead, and then booked",
                  count(tried.booked, max(1, tried.tried))),
            named("alternatives_tried", "rooms and times offered instead, and tried", count(tried.tried, max(1, tried.refusals))),
            named("alternatives_under_load", "offered first, and booked at once by several desks under load",
                  share(desks.booked, desks.tried)),
            named("alternatives_taken", "of those, taken by somebody who wrote in between", count(len(desks.not_booked), max(1, desks.tried))),
            named("detection_mean", "a refusal, mean", latency.mean),
            named("detection_p95", "a refusal, p95", latency.p95),
            named("double_bookings", "visits that were given a room already taken", doubles),
            named("visits_without_rooms", "visits granted without a room", roomless),
            named("refused_share", "bookings refused by a rule", share(seen.refused, seen.offered)),
            named("error_rate", "bookings neither granted nor refused by a rule", failed),
            named("deadlocks", "deadlocks in the database", watch.deadlocks),
        ],
        thresholds=[
            threshold("double_bookings", "rooms given twice", "exactly", 0, "count", doubles, ABOUT.reference, is_law=True),
            threshold("detection_p95", "a refusal, p95", "below", DETECTION_P95_MS, "ms", latency.p95, ABOUT.reference),
            threshold("alternatives_bookable", "offered instead and bookable, while nobody else writes", "exactly", 100, "%",
                      share(tried.booked, tried.tried), "proof.md: conflict", source="ours", is_law=True),
            threshold("failed", "bookings that failed, where all rooms are taken", "exactly", 0, "%", failed, ABOUT.reference),
        ],
        tables=[
            *table("not_bookable", "Offered, and not bookable while nobody else wrote", tried.not_booked),
            *table("taken", "Offered under load, and taken by somebody else before it was booked", desks.not_booked),
        ],
    )  # fmt: skip


def _without_room(seen: Seen) -> model.Figure:
    visits = [each.visit for each in seen.operations if each.visit is not None]
    return count(sum(each.room_id is None for each in visits), max(1, len(visits)))
