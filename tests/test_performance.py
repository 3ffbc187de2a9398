"""The calendar's absolute limits on small, medium and large organizations: a server process of its own, over HTTP, on a
database on disk. Only with `-m performance -n 0`, on a quiet machine (`just nightly`).
"""

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from holdfast import launch, seed
from holdfast.proof import driver, serving
from holdfast.proof.bench.run import home_on_disk
from holdfast.proof.statistics import Latency, latency
from holdfast.seed.profiles import SIZES
from holdfast.settings import Settings

pytestmark = pytest.mark.performance

API = "/api/v1"
SAMPLES = 1_000
"""So many stand behind a p99."""
MEAN_MS, P95_MS, P99_MS = 100, 150, 300
AT_ONCE = 10
AT_ONCE_FACTOR = 1.5
UNLIMITED = {
    "HOLDFAST_REQUESTS_PER_MINUTE_USER": "10000000",
    "HOLDFAST_REQUESTS_PER_MINUTE_ORGANIZATION": "10000000",
}


class Clinic(NamedTuple):
    """A seeded organization with its server. `visits`: all that are stored, as the API shows them."""

    size: str
    home: Path
    server: serving.Server
    headers: dict[str, str]
    visits: list[dict[str, Any]]

    def get(self, path: str, **query: str) -> bytes:
        return driver.request("GET", f"{API}{path}?{urlencode(query)}", self.headers)

    def answer(self, request: bytes) -> Any:
        """What the request is answered with, asked once."""
        line, *headers = request.decode().split("\r\n\r\n")[0].split("\r\n")
        method, target, _ = line.split(" ")
        connection = http.client.HTTPConnection(serving.HOST, self.server.port, timeout=10)
        connection.request(method, target, headers=dict(h.split(": ", 1) for h in headers))
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        assert answer.status == 200, raw
        return json.loads(raw)

    def all(self, noun: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = 1
        while (
            len(found) < (part := self.answer(self.get(f"/{noun}", page=str(page), page_size="100")))["total"]
        ):
            found += part["items"]
            page += 1
        return found

    def measured(self, requests: Sequence[bytes], clients: int = 1, status: int = 200) -> Latency:
        """The times of at least SAMPLES answers, all as expected."""
        plan = driver.Plan(
            host=serving.HOST, port=self.server.port, clients=clients, requests=list(requests), expected_status=status,
            seconds=120,
        )  # fmt: skip
        result = serving.drive(self.home, plan)
        assert result.statuses == {status: result.offered}, (result.statuses, result.unexpected)
        assert result.offered == len(requests) >= SAMPLES
        return latency(result.samples)


@pytest.fixture(scope="module", params=["small", "medium", "large"])
def clinic(request: pytest.FixtureRequest) -> Iterator[Clinic]:
    def quiet(_text: str) -> None:
        return

    with ExitStack() as stack:
        home = stack.enter_context(home_on_disk(quiet))
        full = stack.enter_context(launch.prepared(Settings(home=str(home)), quiet))
        user = next(
            u
            for u in seed.run(full, profile=request.param, seed=1, progress=quiet).users
            if u.role == "scheduler"
        )
        server = stack.enter_context(serving.holdfast(home, UNLIMITED))
        server.wait_until_answers("/health/ready")
        token = serving.sign_in(server, {"email": user.email, "password": user.password})
        headers = {"host": server.host_header, "authorization": f"Bearer {token}"}
        made = Clinic(request.param, home, server, headers, [])
        made.visits.extend(made.all("appointments"))
        size = SIZES[request.param]
        assert (len(made.all("patients")), len(made.visits)) == (size.patients, size.visits)
        yield made


def weeks(clinic: Clinic) -> list[bytes]:
    """A calendar's week, for each week that has visits. None of them is an empty window."""
    starts = [datetime.fromisoformat(visit["start"]).date() for visit in clinic.visits]
    mondays = sorted({day - timedelta(days=day.weekday()) for day in starts})
    found = [
        clinic.get(
            "/appointments", page_size="100", start_date=f"{day}", end_date=f"{day + timedelta(days=6)}"
        )
        for day in mondays
    ]
    full = [each for each in found if clinic.answer(each)["items"]]
    assert len(full) >= 3, "the calendar is empty"
    return full


def timelines(clinic: Clinic) -> list[bytes]:
    """All visits of one patient, for each who has any."""
    patients = sorted({visit["patient_id"] for visit in clinic.visits})
    found = [clinic.get("/appointments", page_size="100", patient_id=each) for each in patients]
    assert all(clinic.answer(each)["items"] for each in found), "a patient without visits"
    return found


def conflict_checks(clinic: Clinic) -> list[bytes]:
    """Whether the time of a visit is taken, for each visit: it is."""
    found = [
        clinic.get(
            "/appointments/conflicts", start=visit["start"], end=visit["end"], practitioner_id=visit["practitioner_id"],
            patient_id=visit["patient_id"],
        )
        for visit in clinic.visits
    ]  # fmt: skip
    assert clinic.answer(found[0])["has_conflict"], "nothing is in the way"
    return found


def bookings(clinic: Clinic, count: int, year: int) -> list[bytes]:
    """Each for an hour of its own, in weeks where nothing is booked yet; `year`: how many years ahead."""
    at = clinic.all("clinics")[0]["id"]
    service = next(each["id"] for each in clinic.all("services") if not each["authorization_required"])
    patients, staff = ([each["id"] for each in clinic.all(noun)] for noun in ("patients", "practitioners"))
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0) + timedelta(days=364 * year)
    # Twelve UTC is five in Phoenix; the clinic is closed on Sundays, and open around the clock else.
    hours = (
        noon + timedelta(days=day, hours=hour)
        for day in range(count)
        for hour in range(10)
        if (noon + timedelta(days=day)).weekday() < 6
    )
    return [
        driver.request("POST", f"{API}/appointments", clinic.headers, json.dumps({
            "clinic_id": at, "patient_id": patient, "practitioner_id": who, "service_id": service,
            "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        }).encode())
        for start, patient, who in zip(islice(hours, count), cycle(patients), cycle(staff), strict=False)
    ]  # fmt: skip


def enough(requests: Sequence[bytes]) -> list[bytes]:
    return list(islice(cycle(requests), SAMPLES))


def holds(what: str, clinic: Clinic, found: Latency, factor: float = 1.0) -> None:
    print(f"{what}, {clinic.size}: {found}")  # noqa: T201
    assert found.mean_ms is not None and found.p95_ms is not None and found.p99_ms is not None, found
    assert found.mean_ms < MEAN_MS * factor, found
    assert found.p95_ms < P95_MS * factor, found
    assert found.p99_ms < P99_MS * factor, found


class TestAppointmentListPerformance:
    def test_calendar_week(self, clinic: Clinic) -> None:
        holds("calendar week", clinic, clinic.measured(enough(weeks(clinic))))

    def test_client_timeline(self, clinic: Clinic) -> None:
        holds("client timeline", clinic, clinic.measured(enough(timelines(clinic))))


class TestConflictDetectionPerformance:
    def test_taken_times(self, clinic: Clinic) -> None:
        holds("conflicts", clinic, clinic.measured(enough(conflict_checks(clinic))))


class TestAppointmentCreatePerformance:
    def test_create(self, clinic: Clinic) -> None:
        holds("create", clinic, clinic.measured(bookings(clinic, SAMPLES, 1), status=201))


class TestConcurrentRequestPerformance:
    def test_ten_calendars_at_once(self, clinic: Clinic) -> None:
        found = clinic.measured(enough(weeks(clinic)), clients=AT_ONCE)
        holds("ten calendars at once", clinic, found, AT_ONCE_FACTOR)

    def test_ten_create_at_once(self, clinic: Clinic) -> None:
        found = clinic.measured(bookings(clinic, SAMPLES, 2), clients=AT_ONCE, status=201)
        holds("ten create at once", clinic, found, AT_ONCE_FACTOR)


class TestPerformanceSummary:
    def test_generate_performance_summary(self, clinic: Clinic) -> None:
        """Everything once, as a table; each size in its turn."""
        mixed = {
            "calendar week": enough(weeks(clinic)),
            "client timeline": enough(timelines(clinic)),
            "conflicts": enough(conflict_checks(clinic)),
        }
        for what, requests in mixed.items():
            holds(what, clinic, clinic.measured(requests))
        holds("create", clinic, clinic.measured(bookings(clinic, SAMPLES, 3), status=201))


SLOW = {"mean_ms": 101.0}, {"p95_ms": 151.0}, {"p99_ms": 301.0}, {"p99_ms": None}


@pytest.mark.parametrize("planted", SLOW)
def test_a_limit_that_is_passed_is_seen(planted: dict[str, float | None]) -> None:
    good: dict[str, Any] = {
        "n": 1000,
        "mean_ms": 1.0,
        "p50_ms": 1.0,
        "p95_ms": 1.0,
        "p99_ms": 1.0,
        "max_ms": 1.0,
    }
    nobody: Any = None
    clinic = Clinic("small", Path(), nobody, {}, [])
    holds("planted", clinic, Latency(**good))
    with pytest.raises(AssertionError):
        holds("planted", clinic, Latency(**(good | planted)))
