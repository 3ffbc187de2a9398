"""The measurements that are taken in every round, one after the other: yardsticks and what is compared with them.
Each records what it saw; whether that is good, `report` says.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from holdfast.db.engine import Engine
from holdfast.proof import bare, driver, machine, pgbench, serving
from holdfast.proof.bench.data import CLINIC_ROOMS, HALF_FULL, IN_USE, SERIES_DATES, Requests
from holdfast.proof.bench.units import MIXED_CLIENTS, ORGANIZATIONS, SPREAD_CLIENTS, UnitRequests
from holdfast.proof.machine import Memory, Meter
from holdfast.proof.serving import Server
from holdfast.proof.statistics import Latency, latency

BOOKINGS = 20_000
"""Planned bookings of one round at the usual length; a shorter run plans fewer."""
_BOOKINGS_SECONDS = 5.0
_BOOKINGS_SECONDS_MAX = 240.0
_WARM_UP_SECONDS = 1.0
_WARM_UP_BOOKINGS = 500
_DIFFERENT_READS = 5_000
_DIFFERENT_SEARCHES = 500
_ALONE_SINGLES, _ALONE_SERIES = 100, 20
"""So many of each in a round, one after the other."""
SEARCHERS = 4
"""How many look for free time at once: a front desk, and some who look at home."""
_BARE_BODY = (
    b'{"clinic_id":"%(id)s","patient_id":"%(id)s","practitioner_id":"%(id)s","service_id":"%(id)s",'
    b'"start":"2030-01-07T08:00:00Z"}' % {b"id": b"01975d3c-0000-7000-8000-000000000001"}
)
_BARE_UNITS = b'{"units":1}'
UNITS_PER_SECOND = 6_000
"""Planned requests for units of one round, by its length."""
_WARM_UP_UNITS = 3_000


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement. Costs are microseconds of processor time per answer; None where nothing tells them apart."""

    n: int
    per_second: float
    seconds: float
    latency: Latency
    driver_us: float | None = None
    server_us: float | None = None
    database_us: float | None = None
    invalid: str = ""


class Measured(msgspec.Struct, kw_only=True):
    """One measure over its rounds."""

    name: str
    what: str
    rounds: list[Round] = []


class Rounds:
    """Knows how each measure is taken, and keeps what came of it."""

    def __init__(
        self, home: Path, engine: Engine, server: Server | None, bare_server: Server | None,
        requests: dict[str, Requests], wanted: frozenset[str], seconds: float, clients: int, seed: int,
    ) -> None:  # fmt: skip
        self._home, self._engine, self._server, self._bare = home, engine, server, bare_server
        self._requests, self._seconds, self._clients, self._seed = requests, seconds, clients, seed
        self._planned = max(clients, min(BOOKINGS, round(BOOKINGS * seconds / _BOOKINGS_SECONDS)))
        self._direct_bookings_each = 0
        self._warm: set[str] = set()
        self._is_stocked = False
        self.units = UnitRequests([requests[one.name] for one in ORGANIZATIONS if one.name in requests], seed)
        self.memory_max: Memory | None = None
        postmaster = int((engine.home / "data" / "postmaster.pid").read_text().split()[0])
        self._database = postmaster
        self._measures = {
            name: (what, take)
            for name, what, take in self._all()
            if name.split()[0] in wanted and self._can(name)
        }
        self.measured = [Measured(name=name, what=what) for name, (what, _) in self._measures.items()]

    @property
    def names(self) -> list[str]:
        """In the order in which a round takes them."""
        return list(self._measures)

    def measure(self, name: str) -> None:
        measured = next(one for one in self.measured if one.name == name)
        measured.rounds.append(self._measures[name][1]())

    def _can(self, name: str) -> bool:
        if name.startswith("Y"):
            return self._bare is not None or not name.startswith("Y4")
        return self._server is not None

    def _all(self) -> list[tuple[str, str, Callable[[], Round]]]:
        """A yardstick stands beside what is measured by it."""
        return [
            ("Y1", "pgbench: one hot row and its ledger", lambda: self._pgbench("yardstick_hot_row")),
            ("Y2", "pgbench: the same over 100 rows", lambda: self._pgbench("yardstick_spread_rows")),
            ("S1", "reserve units of one authorization", lambda: self._units("hot", self._clients)),
            ("S2", "of 55 in 3 organizations, 200 clients", lambda: self._units("spread", SPREAD_CLIENTS)),
            ("S3", "reserve, release, consume; a fifth on one", lambda: self._units("mixed", MIXED_CLIENTS)),
            (
                "Y4 unit",
                "FastAPI and pydantic, body of a reservation",
                lambda: self._bare_requests(bare.UNITS_PATH, _BARE_UNITS, 200),
            ),
            ("Y3", "pgbench: one row under three exclusions", self._direct_bookings),
            ("S4", "book with room assignment, 10 rooms", self.bookings),
            ("S5", "the same, 50 race for the last 10 rooms", self._races),
            ("S9", "next 20 free of 50 people, 50 rooms, 30 days", self._searches),
            ("S10 one", "book one visit, alone", lambda: self._alone("singles", _ALONE_SINGLES)),
            ("S10", f"a series of {SERIES_DATES} visits, alone", lambda: self._alone("series", _ALONE_SERIES)),
            (
                "Y4",
                "FastAPI and pydantic, a booking's body",
                lambda: self._bare_requests(bare.PATH, _BARE_BODY, 201),
            ),
            ("S7 1k", "conflict check, 1,000 visits", lambda: self.reads("1k", "conflicts")),
            ("S7 100k", "conflict check, 100,000 visits", lambda: self.reads("100k", "conflicts")),
            ("S8 1k", "week of one clinic, page 50, 1,000 visits", lambda: self.reads("1k", "weeks")),
            ("S8 100k", "week of one clinic, page 50, 100,000 visits", lambda: self.reads("100k", "weeks")),
            ("S8 any", "week of any of 10 clinics, 100,000 visits", lambda: self.reads("100k", "any weeks")),
        ]  # fmt: skip

    # Yardsticks

    def _pgbench(self, name: str) -> Round:
        return self._by_pgbench(lambda: pgbench.run(self._engine, name, self._clients, seconds=self._seconds))

    def _direct_bookings(self) -> Round:
        """As many as S4 plans."""
        each = math.ceil(self._planned / self._clients)
        variables = {"started": 0, "number": self._direct_bookings_each, "seed": self._seed}
        self._direct_bookings_each += each
        return self._by_pgbench(
            lambda: pgbench.run(
                self._engine, "yardstick_direct_booking", self._clients, transactions=each,
                variables=variables,
            )
        )  # fmt: skip

    def _by_pgbench(self, run: Callable[[], pgbench.Pgbench]) -> Round:
        meter = Meter(None, self._database)
        done = run()
        cost = meter.read()
        nothing = latency([])
        return Round(
            n=done.n, per_second=done.per_second, seconds=round(done.n / done.per_second, 3),
            latency=msgspec.structs.replace(nothing, n=done.n, mean_ms=done.mean_ms),
            database_us=_each(cost.database, done.n),
            invalid=f"{done.failed} transactions failed" if done.failed else "",
        )  # fmt: skip

    def _bare_requests(self, path: str, content: bytes, status: int) -> Round:
        if self._bare is None:
            raise RuntimeError("no bare server")
        request = driver.request("POST", path, {"host": self._bare.host_header}, content)
        return self._by_driver(self._bare, [request], status, repeat=True)

    # What is compared with them

    def bookings(self, of: str = "bookings") -> Round:
        """S4's round, in the organization of this name: each planned booking once."""
        requests, server = self._requests[of], self._running()
        if of not in self._warm:
            self._warm.add(of)
            warm = self._by_driver(server, requests.bookings(_WARM_UP_BOOKINGS), 201)
            if warm.invalid:
                return warm
        return self._by_driver(server, requests.bookings(self._planned), 201)

    def _units(self, which: Literal["hot", "spread", "mixed"], clients: int) -> Round:
        server = self._running()
        if not self._is_stocked:
            self._is_stocked = True
            warm = self._by_driver(server, self.units.stock() + self.units.spread(_WARM_UP_UNITS), 200)
            if warm.invalid:
                return warm
        planned = max(clients, round(UNITS_PER_SECOND * self._seconds))
        made = {"hot": self.units.hot, "spread": self.units.spread, "mixed": self.units.mixed}[which](planned)
        plan = self._plan(server, made, 200)
        return self._driven(server, msgspec.structs.replace(plan, clients=clients))[0]

    def until_refused(self, requests: list[bytes]) -> tuple[Round, dict[int, int]]:
        """Each once; some are granted and the others refused."""
        server = self._running()
        return self._driven(server, self._plan(server, requests, 200, also_expected=409))

    def _races(self) -> Round:
        """As many races as a tenth of the planned bookings would fill; of each, as many are granted as there are rooms."""
        requests, server = self._requests["bookings"], self._running()
        count = max(1, self._planned // 10 // self._clients)
        made = requests.races(count, self._clients)
        plan = self._plan(server, made, 201, also_expected=409)
        found, statuses = self._driven(server, plan)
        requests.won += statuses.get(201, 0)
        if statuses.get(201) != count * CLINIC_ROOMS and not found.invalid:
            why = f"{statuses.get(201, 0)} granted in {count} races for {CLINIC_ROOMS} rooms"
            return msgspec.structs.replace(found, invalid=why)
        return found

    def _searches(self) -> Round:
        requests, server = self._requests[HALF_FULL.name], self._running()
        plan = self._plan(server, requests.searches(_DIFFERENT_SEARCHES), 200, repeat=True)
        return self._driven(server, msgspec.structs.replace(plan, clients=SEARCHERS))[0]

    def _alone(self, what: str, count: int) -> Round:
        """One request after the other, of one client, so that none shares its cost with others. A tenth more go first."""
        requests, server = self._requests[IN_USE.name], self._running()
        make = requests.series if what == "series" else requests.singles
        warm = self._driven(
            server, msgspec.structs.replace(self._plan(server, make(count // 10), 201), clients=1)
        )[0]
        if warm.invalid:
            return warm
        return self._driven(server, msgspec.structs.replace(self._plan(server, make(count), 201), clients=1))[
            0
        ]

    def reads(self, size: str, what: Literal["conflicts", "weeks", "any weeks"]) -> Round:
        """Of the organization of this name, for the set time."""
        requests, server = self._requests[size], self._running()
        made = {
            "conflicts": lambda: requests.conflict_checks(_DIFFERENT_READS),
            "weeks": lambda: requests.week_views(_DIFFERENT_READS),
            "any weeks": lambda: requests.week_views(
                _DIFFERENT_READS, clinics=len(requests.organization.clinics)
            ),
        }[what]()
        return self._by_driver(server, made, 200, repeat=True)

    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("no server")
        return self._server

    def _by_driver(self, server: Server, requests: list[bytes], status: int, repeat: bool = False) -> Round:
        return self._driven(server, self._plan(server, requests, status, repeat=repeat))[0]

    def _plan(
        self, server: Server, requests: list[bytes], status: int, *, repeat: bool = False,
        also_expected: int | None = None,
    ) -> driver.Plan:  # fmt: skip
        """`repeat`: for the set time, after a warm-up; otherwise each request once."""
        return driver.Plan(
            host=serving.HOST, port=server.port, clients=self._clients, requests=requests, expected_status=status,
            seconds=self._seconds if repeat else _BOOKINGS_SECONDS_MAX, repeat=repeat,
            warm_up_seconds=min(_WARM_UP_SECONDS, self._seconds) if repeat else 0.0, also_expected=also_expected,
        )  # fmt: skip

    def _driven(self, server: Server, plan: driver.Plan) -> tuple[Round, dict[int, int]]:
        """What came of a plan, and how often each status was answered."""
        meter = Meter(server.process.pid, self._database)
        done = serving.drive(self._home, plan)
        cost = meter.read()
        if server is self._server:
            seen = machine.memory(server.process.pid)
            if self.memory_max is None or seen.rss_mb > self.memory_max.rss_mb:
                self.memory_max = seen
        answers = sum(done.statuses.values())
        found = Round(
            n=done.answered, per_second=round(done.answered / done.seconds, 1) if done.seconds else 0.0,
            seconds=round(done.seconds, 3), latency=latency(done.samples),
            driver_us=_each(done.cpu_seconds, done.answered), server_us=_each(cost.server, answers),
            database_us=_each(cost.database, answers), invalid=_fault(plan, done, server),
        )  # fmt: skip
        return found, done.statuses


def _each(seconds: float, count: int) -> float | None:
    return round(seconds / count * 1e6, 1) if count else None


def _fault(plan: driver.Plan, done: driver.Result, server: Server) -> str:
    """Why a run says nothing: an answer that was not planned, none at all, or planned ones not asked for."""
    others = {
        status: n
        for status, n in done.statuses.items()
        if status not in (plan.expected_status, plan.also_expected)
    }
    if others or done.failed:
        said = f"; such as {done.unexpected[0][-300:]!r}" if done.unexpected else ""
        said += f"; the server's log ends: {server.last_words(600)!r}"
        return f"unplanned answers {others}, unanswered {done.failed}{said}"
    if not plan.repeat and done.offered != len(plan.requests):
        return f"only {done.offered} of {len(plan.requests)} planned requests fitted into the time"
    if not done.answered:
        return "no answers"
    return ""
