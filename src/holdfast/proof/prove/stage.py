"""What every scenario works with: organizations of its own, the driver, and the checks on what is stored afterwards."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import msgspec

from holdfast.proof import driver, invariants, serving, verify
from holdfast.proof.evidence.watched import Eyes, Watched, watched
from holdfast.proof.history import stored as history_stored
from holdfast.proof.history.check import check
from holdfast.proof.history.log import BY_HAND, Log, Operation, Wish, merged
from holdfast.proof.prove import organization as organizations
from holdfast.proof.prove.bookings import Asked
from holdfast.proof.prove.client import Client, Unexpected
from holdfast.proof.prove.organization import Furniture, Organization
from holdfast.proof.prove.place import Place
from holdfast.proof.prove.seen import Seen
from holdfast.proof.prove.watching import HTTP_ONLY, eyes_of
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, figure
from holdfast.proof.report.model import NotApplicable
from holdfast.proof.statements import statement
from holdfast.proof.statistics import samples_needed

P99_SAMPLES: Final = samples_needed(99)
_LATE_SECONDS: Final = 30.0
"""How much longer than planned a load may take before the rest of it is not sent."""
_ROUNDS_MAX: Final = 10
_SAMPLE_ROWS: Final = 5


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much load, for how long. `rate` is what all users together ask a second, reached after `ramp` seconds; None: each
    asks again as soon as it is answered."""

    users: int
    seconds: float
    rate: float | None = None
    ramp: float = 0.0

    @property
    def requests(self) -> int:
        """How many are due in that time."""
        return round((self.rate or 0.0) * (self.seconds - self.ramp / 2))


class About(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario in words. `asked`: the load as the seed asks for it."""

    name: str
    title: str
    reference: str
    purpose: str
    asked: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks on the stored rows of a scenario's organizations found. `overbooked`: authorizations of which more is
    used and promised than there is."""

    invariants: tuple[model.InvariantRows, ...] | NotApplicable
    history: model.HistoryCheck | NotApplicable
    overbooked: model.Figure


@dataclass
class Stage:
    """`say` shows what is going on; `crashes` are those that the report has not told yet."""

    place: Place
    seed: int
    say: Callable[[str], None]
    crashes: list[str] = field(default_factory=list)
    _last: Watched | None = None

    @property
    def eyes(self) -> Eyes:
        return eyes_of(self.place)

    @contextmanager
    def organization(self, furniture: Furniture) -> Iterator[Organization]:
        """Made, furnished, and deleted afterwards."""
        self.say(f"making an organization of {furniture.rooms} rooms and {furniture.patients} patients")
        place = self.place
        with organizations.scratch(place.address, place.operator_token, furniture, self.seed) as made:
            yield made

    @contextmanager
    def watching(self) -> Iterator[Watched]:
        """What is seen of the server and the database during the block."""
        self.say("load")
        with watched(self.eyes, self._last) as seen:
            yield seen
        self._last = seen

    def settle(self) -> None:
        """After a large fill: what a database in use has done by itself before long. Elsewhere it is left to do so."""
        if self.place.admin_url is not None:
            asyncio.run(_settled(self.place.admin_url))

    def plan(
        self, asked: Asked, scale: Scale, *, status: int, also: int | None = None, **more: Any
    ) -> driver.Plan:
        """Every request once, as the scale says."""
        address = self.place.address
        return driver.Plan(**{
            "host": address.host, "port": address.port, "tls": address.tls, "clients": scale.users,
            "requests": asked.requests, "wishes": asked.wishes, "expected_status": status, "also_expected": also,
            "rate": scale.rate, "ramp_seconds": scale.ramp,
            "seconds": (len(asked) / scale.rate + scale.ramp if scale.rate else scale.seconds) + _LATE_SECONDS,
            **more,
        })  # fmt: skip

    def drive(self, asked: Asked, plan: driver.Plan) -> Seen:
        """Carries the plan out in a process of its own."""
        home = self.place.home
        file = home / "history.msgpack"
        file.unlink(missing_ok=True)
        result = serving.drive(home, msgspec.structs.replace(plan, history_file=str(file)))
        return Seen.of(plan, asked, result, merged([file]) if asked.wishes else [])

    def load(
        self, make: Callable[[int], Asked], scale: Scale, *, status: int, also: int | None = None, **more: Any
    ) -> Seen:
        """The planned load, and again as long as its p99 has too few samples. `make` plans so many requests."""
        seen = Seen()
        for _ in range(_ROUNDS_MAX):
            asked = make(scale.requests)
            seen.join(self.drive(asked, self.plan(asked, scale, status=status, also=also, **more)))
            if len(seen.samples) >= P99_SAMPLES or not seen.samples:
                break
        return seen

    def checked(self, of: Sequence[Organization], operations: Sequence[Operation]) -> Checked:
        """The invariants of these organizations, and their history against what is stored."""
        self.say("checking what is stored")
        self.crashes += self.place.crashes()
        url = self.place.admin_url
        if url is None:
            nothing = NotApplicable(reason=HTTP_ONLY)
            return Checked(invariants=nothing, history=nothing, overbooked=_overbooked_as_told(of))
        self.settle()
        return asyncio.run(_checked(url, of, operations))


def _overbooked_as_told(of: Sequence[Organization]) -> model.Figure:
    """As the installation itself tells it."""
    accounts: list[dict[str, Any]] = []
    for each in of:
        if each.authorizations:
            with each.signed_in() as admin:
                accounts += everything(admin, "/authorizations")
    over = sum(each["used_units"] + each["scheduled_units"] > each["total_units"] for each in accounts)
    return count(over, max(1, len(accounts)))


async def _settled(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement("settle"))
    finally:
        await connection.close()


async def _checked(url: str, of: Sequence[Organization], operations: Sequence[Operation]) -> Checked:
    connection = await asyncpg.connect(url)
    findings: list[model.HistoryFinding] = []
    available: list[int] = []
    try:
        looks = [await verify.look(connection, name, [each.id for each in of]) for name in invariants.NAMES]
        for each in of:
            stored = await history_stored.read(connection, each.id)
            available += [account.available for account in stored.authorizations.values()]
            theirs = operations if len(of) == 1 else belonging(each, operations)
            findings += [
                model.HistoryFinding(kind=one.kind, sentence=one.sentence) for one in check(theirs, stored)
            ]
    finally:
        await connection.close()
    outcomes = Counter(each.outcome for each in operations)
    return Checked(
        invariants=tuple(_rows(look) for look in looks),
        history=model.HistoryCheck(
            operations=len(operations), acknowledged=outcomes["ok"], refused=outcomes["fail"], unknown=outcomes["unknown"],
            findings=tuple(findings),
        ),
        overbooked=count(sum(each < 0 for each in available), max(1, len(available))),
    )  # fmt: skip


def _rows(look: verify.Finding) -> model.InvariantRows:
    sample = tuple(
        ", ".join(f"{key}={value}" for key, value in row.items()) for _, row in look.rows[:_SAMPLE_ROWS]
    )
    return model.InvariantRows(
        name=look.name, rows=len(look.rows), seconds=round(look.seconds, 4), sample=sample
    )


def belonging(of: Organization, operations: Sequence[Operation]) -> list[Operation]:
    """Those of one organization, of several whose operations are one history. Visits are only booked there."""
    patients, authorizations = frozenset(of.patients), frozenset(of.authorizations)
    return [
        each
        for each in operations
        if (each.wish.subject in authorizations if each.wish.kind in BY_HAND else each.wish.patient_id in patients)
    ]  # fmt: skip


def everything(client: Client, noun: str, **query: str) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    found: list[dict[str, Any]] = []
    asked = "".join(f"&{name}={value}" for name, value in query.items())
    while True:
        page = client.got(f"{noun}?page={len(found) // 100 + 1}&page_size=100{asked}")
        found += page["items"]
        if len(found) >= page["total"] or not page["items"]:
            return found


def asked_alone(
    client: Client, wish: Wish, path: str, content: bytes | None
) -> tuple[Operation, dict[str, Any]]:
    """One request beside the load, and what its client saw: for the history, and as a document."""
    log = Log([wish])
    _, began = log.sending()
    headers = {"idempotency-key": wish.key}
    try:
        status, raw = client.send("POST", path, content, headers=headers)
    except Unexpected:
        log.lost(wish, began)
        return log.operations[0], {}
    log.answered(wish, began, status, raw)
    return log.operations[0], msgspec.json.decode(raw) if raw else {}


def scenario(
    about: About, scale: Scale, seen: Seen, checked: Checked, watch: Watched, *, stage: Stage,
    began: datetime, data: Sequence[model.Named], thresholds: Sequence[model.Threshold],
    timings: Sequence[model.Timing], figures: Sequence[model.Named], floors: Sequence[model.Floor],
    windows: Sequence[model.Window], tables: Sequence[model.Table] = (), **more: Any,
) -> model.Scenario:  # fmt: skip
    """The report of a scenario: what is particular to it, and what every load is told with."""
    nothing = NotApplicable(reason="Every client asks again as soon as it is answered.")
    crashes, stage.crashes = tuple(stage.crashes), []
    asked_of_database = watch.statements
    return model.Scenario(**{
        "name": about.name, "title": about.title, "reference": about.reference, "purpose": about.purpose,
        "started": began, "seconds": round((datetime.now(UTC) - began).total_seconds(), 3),
        "load": model.Load(
            shape="closed" if scale.rate is None else "open", asked=about.asked, users=scale.users,
            spawn=figure(scale.users / scale.ramp, "per_second", scale.users) if scale.ramp
            else NotApplicable(reason="All users are there from the first request on."),
            rate=nothing if scale.rate is None else figure(scale.rate, "per_second", max(1, seen.planned)),
            planned=seen.planned, seconds=round(seen.seconds, 3), rounds=seen.rounds, generator="driver",
            generator_cpu=seen.generator_cpu,
        ),
        "data": tuple(data), "windows": tuple(windows), "balance": seen.balance(), "answers": seen.answers(),
        "floors": tuple(floors), "timings": tuple(timings), "figures": tuple(figures), "thresholds": tuple(thresholds),
        "series": seen.series(), "inside": watch.inside, "invariants": checked.invariants, "history": checked.history,
        "tables": (*tables, *([asked_of_database] if isinstance(asked_of_database, model.Table) else [])),
        "crashes": crashes, **more,
    })  # fmt: skip


def furnished(organization: Organization) -> tuple[model.Named, ...]:
    """What an organization is made of, as the report lists it."""
    of = organization.furniture
    counts = (
        ("clinics", "clinics, open day and night", 1), ("rooms", "rooms", of.rooms),
        ("practitioners", "practitioners", of.practitioners), ("patients", "patients", of.patients),
        ("services", f"services, of {of.minutes} minutes", 1),
        ("authorizations", "authorizations", len(of.authorizations)),
    )  # fmt: skip
    return tuple(
        model.Named(name=name, what=what, figure=count(n, max(1, n))) for name, what, n in counts if n
    )
