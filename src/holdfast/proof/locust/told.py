"""What is said when a run is over: the figures that the seeds ask for beside Locust's own, each with its target. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from locust.stats import RequestStats, StatsEntry

_RULE = "=" * 80


class Target(NamedTuple):
    """Requests by name that are judged together; each pair is a percentile and how many milliseconds it must stay below."""

    title: str
    names: tuple[str, ...]
    limits: tuple[tuple[int, float], ...]


def report(title: str, stats: RequestStats, targets: Sequence[Target], more: Iterable[str] = ()) -> str:
    """A block of text. What was not asked for in this run is not told."""
    lines = [_RULE, title, _RULE, ""]
    for target in targets:
        together = StatsEntry(stats, target.title, "", use_response_times_cache=False)
        for entry in stats.entries.values():
            if entry.name in target.names:
                together.extend(entry)
        if together.num_requests:
            lines += [f"{target.title}:", *_figures(together, target), ""]
    return "\n".join([*lines, *more, _RULE, ""])


def _figures(entry: StatsEntry, target: Target) -> Iterable[str]:
    yield f"  Requests: {entry.num_requests}, failures: {entry.num_failures}"
    yield f"  Average: {entry.avg_response_time:.2f}ms"
    limits = dict(target.limits)
    for percent in (50, 95, 99):
        found = entry.get_response_time_percentile(percent / 100) or 0
        wanted = f" (target: <{limits[percent]:.0f}ms)" if percent in limits else ""
        yield f"  p{percent}: {found:.2f}ms{wanted}"
    is_met = not entry.num_failures and all(
        (entry.get_response_time_percentile(percent / 100) or 0) < limit for percent, limit in target.limits
    )
    yield f"  Target Met: {'✓ YES' if is_met else '✗ NO'}"


def granted(stats: RequestStats, names: Sequence[str]) -> int:
    """How many of these requests had their wish: neither failed nor, as they are told under another name, were refused."""
    return sum(
        entry.num_requests - entry.num_failures for entry in stats.entries.values() if entry.name in names
    )
