"""Faults: server processes and the database are killed in the middle of mixed work. What was acknowledged is there afterwards,
of what was not nobody is told a lie, and everything comes back by itself.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Final

import psutil

from holdfast.proof.prove import units
from holdfast.proof.prove.place import Place, of_our_own
from holdfast.proof.prove.seen import Seen, named, threshold, timing
from holdfast.proof.prove.stage import About, Scale, Stage, scenario
from holdfast.proof.prove.three import three
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, figure
from holdfast.proof.report.model import HistoryCheck, NotApplicable

ABOUT = About(
    name="faults", title="Kills in the middle", reference="002: failure injection",
    purpose="Server processes and the database are killed with signal 9 while a hundred users work: nothing acknowledged is "
    "lost, and nothing appears from nowhere.",
    asked="failure injection under load",
)  # fmt: skip
WORKERS = 2
KILLS: Final = ("server", "database", "server")
_EVERY_SECONDS = 20.0
_READY_SECONDS = 60.0
_BACK_SECONDS_MAX = 30.0


@dataclass
class _Kills:
    """What was killed, by when it was (seconds since the load began), of so many that were planned."""

    planned: int
    done: list[tuple[str, float]] = field(default_factory=list)

    def count(self, what: str) -> int:
        return sum(each == what for each, _ in self.done)


def run(stage: Stage, scale: Scale) -> model.Scenario:
    """On an engine and servers of its own: those of the other scenarios are left alone."""
    began = datetime.now(UTC)
    with of_our_own(stage.say, WORKERS) as place:
        apart = Stage(place, stage.seed, stage.say)
        with three(apart, ABOUT.name, units.for_mixed(scale.requests)) as of:
            plans = units.Units(of.accounts(), stage.seed, ABOUT.name)
            asked = plans.mixed(scale.requests)
            plan = apart.plan(asked, scale, status=200, also=409, reconnects=True)
            with apart.watching() as watch, _killing(place, scale.seconds, stage.say) as kills:
                seen = apart.drive(asked, plan)
            if place.server is not None:
                place.server.wait_until_answers("/health/ready")
            checked = apart.checked(of.organizations, seen.operations)
            data = of.data()
    requests = timing("request", "any that was answered, from when it was due", seen.latencies())
    lost = _lost(checked.history)
    back = _back(seen, kills)
    reference = ABOUT.reference
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=apart, began=began, data=data, timings=[requests],
        windows=[model.Window(what="authorizations that are worked on", rows=sum(units.SEED_AUTHORIZATIONS))],
        floors=[
            model.Floor(what="requests granted", least=round(0.4 * seen.planned), reached=seen.granted),
            model.Floor(what="kills", least=kills.planned, reached=len(kills.done)),
        ],
        figures=[
            named("server_kills", "server processes killed", count(kills.count("server"), kills.planned)),
            named("database_kills", "databases killed", count(kills.count("database"), kills.planned)),
            named("lost", "acknowledged, and not stored as it was", lost),
            named("unknown", "requests of which nobody was told what became", count(seen.unknown, max(1, seen.offered))),
            named("back_after", "from a kill to the next grant, the longest", back),
            named("overbooked", "authorizations of which more is promised than there is", checked.overbooked),
        ],
        thresholds=[
            threshold("lost", "acknowledged, and not stored as it was", "exactly", 0, "count", lost, "reliability.md", source="ours",
                      is_law=True, evidence="database"),
            threshold("overbooked", "authorizations promised twice", "exactly", 0, "count", checked.overbooked, reference,
                      is_law=True),
            threshold("back_after", "from a kill to the next grant", "below", _BACK_SECONDS_MAX, "s", back, "reliability.md",
                      source="ours"),
        ],
        marks=tuple(model.Mark(at=round(at, 1), label=f"{what} killed") for what, at in kills.done),
    )  # fmt: skip


@contextmanager
def _killing(place: Place, seconds: float, say: Callable[[str], None]) -> Iterator[_Kills]:
    """Kills one after the other, evenly over the load. They end with the block."""
    kills = _Kills(max(len(KILLS), int(seconds // _EVERY_SECONDS)))
    over, began = threading.Event(), time.monotonic()

    def kill() -> None:
        wait = seconds / (kills.planned + 1)
        for what in islice(cycle(KILLS), kills.planned):
            if over.wait(wait):
                return
            if (_kill_worker if what == "server" else _kill_database)(place):
                kills.done.append((what, time.monotonic() - began))
                say(f"the {what} was killed")

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        yield kills
    finally:
        over.set()
        thread.join()


def _kill_worker(place: Place) -> bool:
    """One of the server's processes: those that it has started and that serve."""
    if place.server_pid is None:
        return False
    with suppress(psutil.Error):
        for each in psutil.Process(place.server_pid).children():
            with suppress(psutil.Error):
                if "spawn_main" in " ".join(each.cmdline()):
                    each.kill()
                    return True
    return False


def _kill_database(place: Place) -> bool:
    pid = place.postmaster_pid
    if pid is None:
        return False
    os.kill(pid, signal.SIGKILL)
    return True


def _lost(history: HistoryCheck | NotApplicable) -> model.Cell:
    if isinstance(history, NotApplicable):
        return history
    return count(len(history.findings), max(1, history.acknowledged))


def _back(seen: Seen, kills: _Kills) -> model.Cell:
    """The longest time from a kill to the next answer that granted something."""
    granted = sorted(each.end for each in seen.samples if each.status == 200)
    waits = [next((end - at for end in granted if end > at), None) for _, at in kills.done]
    known = [each for each in waits if each is not None]
    if not known or len(known) < len(waits):
        return NotApplicable(reason="Nothing was granted after one of the kills.")
    return figure(max(known), "s", len(known))
