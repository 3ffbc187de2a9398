"""How long each scenario runs in each profile. `smoke` is seconds long: more is asked for in each second than by the seeds, so
that every p99 has its samples. `full` are the seeds' own counts and durations.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from holdfast.proof.prove.scenarios import (
    calendar,
    combined,
    conflict,
    contention,
    faults,
    isolation,
    mixed,
    rules,
    saturation,
    soak,
    storm,
    throughput,
)  # fmt: skip
from holdfast.proof.prove.stage import About, Scale, Stage
from holdfast.proof.report import model

SOAK: Final = "soak"
PROFILES: Final = ("smoke", "full", SOAK)


class Entry(NamedTuple):
    """A scenario and its size in each profile. `needs_own`: it kills what it runs on, so never what runs elsewhere."""

    about: About
    run: Callable[[Stage, Scale], model.Scenario]
    smoke: Scale
    full: Scale
    needs_own: bool = False

    def scale(self, profile: str) -> Scale:
        return self.full if profile == "full" else self.smoke


_ENTRIES: Final = (
    Entry(
        storm.ABOUT, storm.run, Scale(users=50, rate=150, seconds=8, ramp=1), Scale(users=50, rate=25, seconds=120, ramp=5)
    ),
    Entry(
        conflict.ABOUT, conflict.run, Scale(users=50, rate=100, seconds=14, ramp=1),
        Scale(users=50, rate=25, seconds=120, ramp=5),
    ),
    Entry(
        rules.ABOUT, rules.run, Scale(users=50, rate=120, seconds=9.5, ramp=1), Scale(users=50, rate=25, seconds=120, ramp=5)
    ),
    Entry(
        contention.ABOUT, contention.run, Scale(users=50, rate=200, seconds=6), Scale(users=50, rate=50, seconds=60)
    ),
    Entry(
        throughput.ABOUT, throughput.run, Scale(users=200, rate=250, seconds=6, ramp=2),
        Scale(users=200, rate=150, seconds=300, ramp=60),
    ),
    Entry(
        mixed.ABOUT, mixed.run, Scale(users=100, rate=150, seconds=8), Scale(users=100, rate=100, seconds=600)
    ),
    Entry(
        combined.ABOUT, combined.run, Scale(users=50, rate=120, seconds=10, ramp=1),
        Scale(users=50, rate=75, seconds=300, ramp=5),
    ),
    Entry(calendar.ABOUT, calendar.run, Scale(users=10, seconds=30), Scale(users=10, seconds=30)),
    Entry(
        saturation.ABOUT, saturation.run, Scale(users=100, rate=200, seconds=2), Scale(users=100, rate=100, seconds=20)
    ),
    Entry(isolation.ABOUT, isolation.run, Scale(users=50, seconds=0.5), Scale(users=50, seconds=20)),
    Entry(
        faults.ABOUT, faults.run, Scale(users=100, rate=150, seconds=12), Scale(users=100, rate=100, seconds=120),
        needs_own=True,
    ),
    # Its rate is half of the knee, and how long it runs is asked for.
    Entry(soak.ABOUT, soak.run, Scale(users=100, seconds=60), Scale(users=100, seconds=4 * 3600)),
)  # fmt: skip
SCENARIOS: Final[Mapping[str, Entry]] = MappingProxyType({each.about.name: each for each in _ENTRIES})

WHAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "smoke": "Every scenario in seconds, with more load in each than the seeds ask for.",
        "full": "Every scenario with the load and the duration that the seeds ask for.",
        SOAK: "Saturation, and then mixed work at half of the knee for as long as was asked.",
    }
)

PLAN_WEEKS: Final[Mapping[str, int]] = MappingProxyType({"smoke": 1, "full": 10, SOAK: 1})
"""So many weeks of 10,000 visits each do the queries meet whose plans are compared."""
