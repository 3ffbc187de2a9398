"""Two measurements that are not taken in rounds: how soon other calendars see a change (S11), and how soon a server
that is started takes its first booking (S12).
"""

import time
from array import array
from pathlib import Path
from statistics import median

import msgspec

from holdfast.proof import listeners, serving
from holdfast.proof.bench.data import Requests
from holdfast.proof.serving import Server
from holdfast.proof.statistics import Latency, latency

LISTENERS = 200
_RATE = 20.0
_BOOKINGS_MIN = 10
_STARTS = 5
_OPENING_SECONDS_MAX = 60.0


class ChangeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """From a booking to its event on every open calendar. The commit lies between sending and answer."""

    listeners: int
    bookings: int
    per_second: float
    from_answer: Latency
    from_sending: Latency
    driver_cpu_share: float
    invalid: str = ""


def change_seen(home: Path, server: Server, requests: Requests, seconds: float) -> ChangeSeen:
    """Books at a steady rate while 200 calendars are open."""
    count = max(_BOOKINGS_MIN, round(_RATE * seconds))
    plan = listeners.Plan(
        host=serving.HOST, port=server.port, listeners=LISTENERS, stream=requests.event_stream(),
        bookings=requests.bookings(count), rate=_RATE,
    )  # fmt: skip
    done: listeners.Result = serving.run_apart(
        "holdfast.proof.listeners", home, plan, listeners.Result, count / _RATE + _OPENING_SECONDS_MAX
    )
    faults = [f"{n} bookings answered {status}" for status, n in done.statuses.items() if status != 201]
    if done.missing:
        faults.append(f"{done.missing} events did not come")
    return ChangeSeen(
        listeners=LISTENERS, bookings=done.bookings, per_second=_RATE, from_answer=_latency(done.from_answer),
        from_sending=_latency(done.from_sending), driver_cpu_share=round(done.cpu_seconds * _RATE / count, 3),
        invalid="; ".join(faults),
    )  # fmt: skip


def _latency(raw: bytes) -> Latency:
    samples = array("d")
    samples.frombytes(raw)
    return latency(samples)


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from starting `holdfast serve` to the answer of its first booking."""

    runs: list[float]
    median_seconds: float


def start_and_book(home: Path, profile: dict[str, str], requests: Requests) -> Start:
    """Starts the server several times on the same home; each time one booking is asked for until it is granted."""
    runs = []
    for request in requests.bookings(_STARTS):
        began = time.perf_counter()
        with serving.holdfast(home, profile) as server:
            serving.first_answer(server, request, 201)
            runs.append(round(time.perf_counter() - began, 3))
    return Start(runs=runs, median_seconds=median(runs))
