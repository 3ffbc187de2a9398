"""`holdfast prove`: every scenario of a profile, one after the other, and the report of them."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from time import monotonic

import asyncpg
import msgspec

from holdfast import __version__
from holdfast.db.database import CONNECTION_LOST
from holdfast.plain import PlainError
from holdfast.proof import invariants, machine
from holdfast.proof.bench.run import stopped_by_signals
from holdfast.proof.prove import place as places
from holdfast.proof.prove.client import Unexpected
from holdfast.proof.prove.environment import database_of, facts
from holdfast.proof.prove.place import Place
from holdfast.proof.prove.profiles import PLAN_WEEKS, PROFILES, SCENARIOS, SOAK, WHAT, Entry
from holdfast.proof.prove.scenarios import saturation, soak
from holdfast.proof.prove.stage import Scale, Stage
from holdfast.proof.prove.watching import HTTP_ONLY
from holdfast.proof.report import archive, baseline, made, model
from holdfast.proof.report.model import NotApplicable
from holdfast.proof.serving import ServerFailed
from holdfast.proof.statements import statement

_VERSIONS = ("asyncpg", "httptools", "msgspec", "uvicorn", "uvloop")


Say = Callable[[str], None]


class ProveError(PlainError):
    """The proof cannot run like this; the message says why."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the command was asked for. Without a `url` it runs on an engine and a server of its own."""

    profile: str = "smoke"
    only: str = ""
    seed: int = 1
    out: Path = Path("prove-results")
    baseline: Path | None = None
    url: str = ""
    token: str = ""
    hours: float = 4.0


def run(wanted: Wanted, say: Say, write: Callable[[str], object] = sys.stdout.write) -> int:
    """Proves, writes the report and prints what follows from it. 0: GO; 1: NO-GO; 2: the run says nothing."""
    earlier = None if wanted.baseline is None else baseline.read(wanted.baseline)
    measures = measured(wanted, say)
    report = made.report(measures, earlier, wanted.out)
    kept = made.write(report, archive.folder(wanted.out, measures))
    latest = [Path(shutil.copy(each, wanted.out)) for each in kept]
    verdict = report.verdict
    lines = [
        *(f"  invalid: {each}" for each in verdict.invalid),
        *(f"  broken: {each}" for each in verdict.broken),
        *(f"  missed: {each}" for each in verdict.missed),
        f"{verdict.outcome}: {verdict.reason}",
        f"The page: {latest[1]} (kept as {kept[1]})",
    ]
    write("\n".join(lines) + "\n")
    return verdict.exit_status


def measured(wanted: Wanted, say: Say) -> model.Run:
    """Runs what is wanted. Raises ProveError; Unexpected, if the installation does not even begin."""
    names = _names(wanted)
    started = datetime.now(UTC)
    with stopped_by_signals(), _place(wanted, say) as place:
        stage = Stage(place, wanted.seed, say)
        of = machine.machine(place.home)
        environment = facts(place, of)
        scenarios, invalid = _carried_out(stage, wanted, names)
        return model.Run(
            started=started, ended=datetime.now(UTC), commit=machine.commit(), machine=of,
            profile=model.Profile(
                name=wanted.profile, what=WHAT[wanted.profile], lifts=dict(place.lifts),
                is_http_only=place.admin_url is None, is_rate_limited=place.engine is None,
            ),
            seed=wanted.seed, versions=_versions(), environment=environment,
            database=database_of(place, stage.eyes, PLAN_WEEKS[wanted.profile], wanted.seed, say),
            invariants=NotApplicable(reason=HTTP_ONLY) if place.admin_url is None else queries(),
            scenarios=tuple(scenarios), sizing=_sizing(scenarios), invalid=tuple(invalid),
        )  # fmt: skip


def _names(wanted: Wanted) -> list[str]:
    """Those asked for, in the order of the report. Raises ProveError."""
    if wanted.profile not in PROFILES:
        raise ProveError(f"There is no profile {wanted.profile}: {', '.join(PROFILES)}.")
    asked = {name.strip() for name in wanted.only.split(",") if name.strip()}
    if wanted.profile == SOAK:
        if asked:
            raise ProveError(
                "A soak is saturation and then the soak itself: there is nothing to choose with --only."
            )
        return [saturation.ABOUT.name, soak.ABOUT.name]
    offered = [name for name in SCENARIOS if name != soak.ABOUT.name]
    for name in sorted(asked):
        if name not in offered:
            raise ProveError(f"There is no scenario {name}: {', '.join(offered)}.")
        if wanted.url and SCENARIOS[name].needs_own:
            raise ProveError(f"{name} kills what it runs on: never an installation that runs elsewhere.")
    return [
        name
        for name in offered
        if (name in asked if asked else not (wanted.url and SCENARIOS[name].needs_own))
    ]


def _place(wanted: Wanted, say: Say) -> AbstractContextManager[Place]:
    if not wanted.url:
        return places.of_our_own(say)
    if not wanted.token:
        raise ProveError(
            "--url needs --token: the operator's, which makes and deletes scratch organizations."
        )
    return places.running_elsewhere(wanted.url, wanted.token)


def _carried_out(stage: Stage, wanted: Wanted, names: list[str]) -> tuple[list[model.Scenario], list[str]]:
    """What each came to; and which could not even be carried out, with the answer that stopped it."""
    found: list[model.Scenario] = []
    invalid: list[str] = []
    for number, name in enumerate(names, 1):
        entry = SCENARIOS[name]
        step = f"[{number}/{len(names)}] {entry.about.title}"
        stage.say(step)
        began = monotonic()
        try:
            found.append(entry.run(stage, _scale(wanted, entry, found)))
        except (Unexpected, ServerFailed, *CONNECTION_LOST, asyncpg.PostgresError) as error:
            invalid.append(" ".join([f"{name}: {error}", *stage.place.crashes()]))
        stage.say(f"{step}: {monotonic() - began:.0f} s")
    return found, invalid


def _scale(wanted: Wanted, entry: Entry, before: Sequence[model.Scenario]) -> Scale:
    """Of a soak it follows from the knee that was found before, and from how long was asked for."""
    if entry.about.name != soak.ABOUT.name:
        return entry.scale(wanted.profile)
    knee = _knee(before)
    if knee is None:
        raise Unexpected("Saturation found no knee, so there is no half of it.", 0)
    return Scale(
        users=entry.full.users, rate=round(knee * saturation.HEADROOM, 1), seconds=wanted.hours * 3600
    )


def queries() -> tuple[model.InvariantQuery, ...]:
    """Each invariant with what it means and the statement that looks for what breaks it."""
    found = []
    for name in invariants.BY_STATEMENT:
        text = statement(f"invariants/{name}")
        comment = [line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--")]
        found.append(model.InvariantQuery(name=name, means=" ".join(comment), query=text.strip()))
    means = "Every event since the beginning, replayed, gives what the tables hold."
    return (
        *found,
        model.InvariantQuery(name=invariants.REPLAY, means=means, query="Replays the events in order; see proof/replay.py."),
    )  # fmt: skip


def _versions() -> dict[str, str]:
    found = {name: metadata.version(name) for name in _VERSIONS}
    return {"holdfast": __version__, "python": platform.python_version(), **found}


def _knee(scenarios: Sequence[model.Scenario]) -> float | None:
    """Bookings a second, if saturation was among them."""
    found = [
        each
        for one in scenarios
        if one.name == saturation.ABOUT.name
        for each in one.figures
        if each.name == "knee"
    ]
    return found[0].figure.value if found and isinstance(found[0].figure, model.Figure) else None


def _sizing(scenarios: Sequence[model.Scenario]) -> tuple[model.Fact, ...] | NotApplicable:
    knee = _knee(scenarios)
    if knee is None:
        return NotApplicable(reason="Sizes are derived from the knee, which this run did not look for.")
    return saturation.sizing(knee, os.cpu_count() or 1)
