"""On what it was measured and how: machine, versions, profile, the rules of an honest run, words. Pure."""

from collections.abc import Iterator
from typing import Final

from holdfast.proof.report.blanks import SCENARIOS
from holdfast.proof.report.blocks import Block, Column, Grid, Heading, Paragraph, Points, Said, words
from holdfast.proof.report.model import ESTIMATOR, Report, Run

_RULES: Final = """
Offered = granted + refused by rule + refused by overload + failed. A run in which a term is missing, or in which
they do not add up, gets no verdict.

Load is planned and open where a seed plans arrivals: a latency counts from when its request was due, so that
waiting in line is not left out.

A p99 has 1,000 samples or is not told. Percentiles are those of the nearest rank: a value that was measured.

A run is invalid, and not passed, if a request was limited, if a token was refused that should not have been, if
there were fewer successes than the scenario's floor, if it looked at an empty window of data, or if a cell is
blank.

It goes over real HTTP to a real server with its real pool. Limits of requests are lifted by the profile alone,
which is told in full on this page.

After each scenario the invariants are asked of what is stored, and the histories of all clients are checked.

A limit missed is a NO-GO: by up to 50 % the installation needs optimisation, by more it is not ready. A law that is
broken, a row that breaks an invariant, a history that cannot be and a crash are a NO-GO even if the run is invalid.

The verdict, the margins, the bottlenecks, the risks and the next steps are derived from the figures. Nothing on
this page was typed by hand.
""".strip()
_GLOSSARY: Final = (
    ("p50, p95, p99", "Of 100 requests 50, 95 or 99 were answered at least so fast."),
    ("n", "How many samples or cases stand behind a figure."),
    ("Granted", "Asked for, done, and told so."),
    ("Refused by rule", "Answered that it cannot be, with the reason: no room is free, not enough units."),
    ("Refused by overload", "Answered at once that there is too much to do, with when to come back."),
    ("Failed", "No answer, or one that says that something went wrong. Unknown: nobody was told whether it was done."),
    ("Goodput", "What was granted in a second; what was refused or failed does not count."),
    ("Open and closed loop", "Requests come when they are due; or each client asks again when it has been answered."),
    ("Knee", "The load beyond which waiting grows faster than the load."),
    ("Lane", "What carries the requests of one organization that wait at the same time in one transaction."),
    ("Turn", "The row that every change of an organization's schedule locks first, so that changes have an order."),
    ("Claim", "The time that a visit takes of a room, a practitioner or a patient. Two claims never overlap."),
    ("Invariant", "A question to the database whose answer must be no row."),
    ("History", "What every client sent and was told, with the times."),
    ("Margin", "How much of a limit is left, as a share of the limit."),
)  # fmt: skip


def told(report: Report) -> Iterator[Block]:
    run = report.run
    yield Heading(2, "On what, and how", anchor="method")
    yield Heading(3, "Environment")
    yield Grid("Environment", (Column("What"), Column("In this run")), tuple(_environment(run)))
    yield Heading(3, "Profile")
    yield from _profile(run)
    yield Heading(3, "The rules of an honest run")
    yield Points(tuple(" ".join(each.split()) for each in _RULES.split("\n\n")))
    yield Heading(3, "Words")
    rows = tuple((Said(word), Said(meaning)) for word, meaning in _GLOSSARY)
    yield Grid("Words used on this page", (Column("Word"), Column("Meaning")), rows)


def _environment(run: Run) -> Iterator[tuple[Said, ...]]:
    machine = run.machine
    yield Said("Processor"), Said(f"{machine.processor}, {machine.processors} of them")
    yield Said("Memory of the machine"), Said(f"{machine.memory_mb:,} MB")
    yield Said("System"), Said(machine.system)
    yield Said("Load before"), Said(f"{machine.load_before:.2f}")
    yield (
        Said("Disk"),
        Said(f"{machine.file_system}, one flush {machine.fdatasync_median_ms:.3f} ms (median)"),
    )
    for fact in run.environment:
        yield Said(fact.name.replace("_", " ").capitalize()), words(fact.value)
    for name, version in run.versions.items():
        yield Said(f"Version of {name}"), Said(version)
    yield Said("Seed"), Said(str(run.seed))
    yield Said("Estimator"), Said(ESTIMATOR)


def _profile(run: Run) -> Iterator[Block]:
    profile = run.profile
    seen = (
        "HTTP only: nothing was seen of the database."
        if profile.is_http_only
        else "The database was seen as well."
    )
    limiter = (
        "A limiter of requests was left on." if profile.is_rate_limited else "No limiter of requests was on."
    )
    yield Paragraph(f"{profile.name}: {profile.what}. {seen} {limiter}")
    if profile.lifts:
        rows = tuple((Said(name), Said(value or "empty")) for name, value in profile.lifts.items())
        yield Grid("What the profile sets, and nothing else", (Column("Setting"), Column("Value")), rows)
    else:
        yield Paragraph("The profile lifts no limit.")
    ran = {each.name for each in run.scenarios}
    left_out = [name for name in SCENARIOS if name not in ran]
    yield Paragraph(f"Not run: {', '.join(left_out)}." if left_out else "Every scenario was run.")
