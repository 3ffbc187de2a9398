"""The calendar's reads and writes, on a small, a medium and a large organization: a week, a client's timeline, conflict checks,
bookings, and ten who do so at once.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any, Final

from holdfast.proof import driver
from holdfast.proof.prove.bookings import Asked, Bookings
from holdfast.proof.prove.client import Client
from holdfast.proof.prove.organization import Furniture, Organization
from holdfast.proof.prove.seen import Seen, named, threshold, timing
from holdfast.proof.prove.stage import P99_SAMPLES, About, Scale, Stage, everything, scenario
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, figure

ABOUT = About(
    name="calendar", title="Calendar", reference="003",
    purpose="A week, a client's timeline, conflict checks and bookings on three sizes of organization, each alone and ten at "
    "once.",
    asked="small 10 clients and 50 visits, medium 50 and 500, large 100 and 1,000; concurrent 10 × 10",  # noqa: RUF001
)  # fmt: skip
SIZES: Final = (("small", 10, 50), ("medium", 50, 500), ("large", 100, 1000))
MEAN_MS, P95_MS, P99_MS = 100, 150, 300
AT_ONCE, AT_ONCE_FACTOR = 10, 1.5
_MINUTES, _WEEKS, _AT_A_TIME = 60, 4, 5
_HOURS = tuple(range(8, 18))
_SECONDS_MAX = 120.0
_API = "/api/v1"


@dataclass
class _Size:
    """An organization with its visits as the API shows them, and the plans over it."""

    name: str
    of: Organization
    admin: Client
    creates: Bookings
    stored: Seen
    visits: list[dict[str, Any]]
    windows: list[model.Window]

    def get(self, path: str, **query: str) -> bytes:
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return driver.request("GET", f"{_API}{path}?{words}", self.admin.headers)


def run(stage: Stage, scale: Scale, sizes: tuple[tuple[str, int, int], ...] = SIZES) -> model.Scenario:
    """`sizes`: name, clients, visits of each."""
    began = datetime.now(UTC)
    seen, timings, windows = Seen(), list[model.Timing](), list[model.Window]()
    thresholds: list[model.Threshold] = []
    with ExitStack() as stack:
        made = [stack.enter_context(_Made(stage, *size)) for size in sizes]
        stage.settle()
        with stage.watching() as watch:
            for size in made:
                stage.say(f"load on the {size.name} organization")
                for what, words, asked, clients, status in _measures(size):
                    plan = stage.plan(asked, Scale(users=clients, seconds=_SECONDS_MAX), status=status)
                    alone = stage.drive(asked, plan)
                    seen.join(alone)
                    timings.append(timing(f"{what}_{size.name}", f"{words}, {size.name}", alone.latencies()))
                    thresholds += _thresholds(timings[-1], AT_ONCE_FACTOR if clients > 1 else 1.0)
                windows += size.windows
        operations = [each for size in made for each in size.stored.operations]
        checked = stage.checked([size.of for size in made], operations + seen.operations)
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, timings=timings, windows=windows,
        data=[
            named(f"{what}_{size}", f"{what}, {size}", count(n, max(1, n)))
            for size, patients, visits in sizes for what, n in (("clients", patients), ("visits", visits))
        ],
        floors=[model.Floor(what="answers with what was asked for", least=seen.planned, reached=seen.granted)],
        figures=[
            named("throughput", "requests answered a second", figure(seen.per_second, "per_second", max(1, seen.granted))),
            named("error_rate", "not answered with what was asked for", seen.error_rate()),
        ],
        thresholds=thresholds,
    )  # fmt: skip


class _Made:
    """A size's organization for as long as the block lasts."""

    def __init__(self, stage: Stage, name: str, patients: int, visits: int) -> None:
        self._stage, self._name, self._patients, self._visits = stage, name, patients, visits
        self._stack = ExitStack()

    def __enter__(self) -> _Size:
        stage, name = self._stage, self._name
        furniture = Furniture(
            name=f"calendar {name}", practitioners=10, patients=self._patients, minutes=_MINUTES
        )
        try:
            of = self._stack.enter_context(stage.organization(furniture))
            admin = self._stack.enter_context(of.signed_in())
            plan = Bookings(
                of,
                admin.token,
                stage.seed,
                f"visits-{name}",
                width=_AT_A_TIME,
                hours=_HOURS,
                weeks=(0, _WEEKS),
            )
            stored = Seen()
            if asked := plan.planned(self._visits):
                stored = stage.drive(
                    asked, stage.plan(asked, Scale(users=AT_ONCE, seconds=_SECONDS_MAX), status=201)
                )
            visits = everything(admin, "/appointments")
        except BaseException:
            self._stack.close()
            raise
        creates = Bookings(of, admin.token, stage.seed, f"create-{name}", weeks=(_WEEKS + 1, 2 * _WEEKS))
        return _Size(name, of, admin, creates, stored, visits, [])  # fmt: skip

    def __exit__(self, *error: object) -> None:
        self._stack.close()


_Measure = tuple[str, str, Asked, int, int]


def _measures(size: _Size) -> Iterator[_Measure]:
    """Name, words, requests, clients at once, and the status that each must be answered with."""
    weeks, timelines, conflicts = _weeks(size), _timelines(size), _conflicts(size)
    yield "list", "a calendar's week", _enough(weeks), 1, 200
    yield "timeline", "all visits of a client", _enough(timelines), 1, 200
    yield "conflicts", "whether a time is taken that is", _enough(conflicts), 1, 200
    yield "create", "a booking", size.creates.planned(P99_SAMPLES), 1, 201
    yield "list_at_once", "a calendar's week, ten at once", _enough(weeks), AT_ONCE, 200
    yield "create_at_once", "a booking, ten at once", size.creates.planned(P99_SAMPLES), AT_ONCE, 201


def _enough(requests: list[bytes]) -> Asked:
    return Asked(list(islice(cycle(requests), P99_SAMPLES)))


def _weeks(size: _Size) -> list[bytes]:
    """Each week that has visits; the report is told how many the emptiest of them has."""
    found = []
    for number in range(_WEEKS):
        day = (size.of.first + timedelta(weeks=number)).date()
        ends = day + timedelta(days=6)
        there = sum(f"{day}" <= visit["start"][:10] <= f"{ends}" for visit in size.visits)
        found.append(
            (
                there,
                size.get("/appointments", page_size="100", start_date=f"{day}", end_date=f"{ends}"),
            )
        )
    used = [each for each in found if each[0]] or found
    _window(size, "visits in the emptiest week that was asked for", min(there for there, _ in used))
    return [request for _, request in used]


def _timelines(size: _Size) -> list[bytes]:
    """Each client who has visits."""
    counts = {
        patient: sum(visit["patient_id"] == patient for visit in size.visits) for patient in size.of.patients
    }
    used = [patient for patient, n in counts.items() if n] or list(counts)
    _window(size, "visits on the emptiest timeline that was asked for", min(counts[each] for each in used))
    return [size.get("/appointments", page_size="100", patient_id=each) for each in used]


def _conflicts(size: _Size) -> list[bytes]:
    """The time of each visit, which is taken."""
    requests = [
        size.get(
            "/appointments/conflicts", start=each["start"], end=each["end"], practitioner_id=each["practitioner_id"],
            patient_id=each["patient_id"],
        )
        for each in size.visits
    ]  # fmt: skip
    taken = 0
    if requests:
        target = requests[0].split(b" ", 2)[1].decode()
        taken = len(size.admin.must("GET", target)["conflicts"])
    _window(size, "conflicts that a check of the first visit's time finds", taken)
    first = size.of.first
    nobody = size.get(
        "/appointments/conflicts", start=f"{first:%Y-%m-%dT%H:%M:%SZ}", end=f"{first + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        practitioner_id=size.of.practitioners[0],
    )  # fmt: skip
    return requests or [nobody]


def _window(size: _Size, what: str, rows: int) -> None:
    size.windows.append(model.Window(what=f"{size.name}: {what}", rows=rows))


def _thresholds(of: model.Timing, factor: float) -> Iterator[model.Threshold]:
    limits: tuple[tuple[str, float, Callable[[model.Distribution], model.Cell]], ...] = (
        ("mean", MEAN_MS, lambda found: found.mean), ("p95", P95_MS, lambda found: found.p95),
        ("p99", P99_MS, lambda found: found.p99),
    )  # fmt: skip
    for name, limit, cell in limits:
        yield threshold(
            f"{name}_{of.name}", f"{of.what}, {name}", "below", limit * factor, "ms", cell(of.distribution), ABOUT.reference
        )  # fmt: skip
