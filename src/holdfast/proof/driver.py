"""An HTTP/1.1 load driver as light as Python allows: keep-alive connections over raw sockets, one request under way
on each. Runs as a process of its own (`python -m holdfast.proof.driver PLAN RESULT`), so that its processor time is
told apart from the server's. It prepares every byte before the clock starts and judges nothing.

Closed loop: each client asks again as soon as it is answered. Open loop (`rate`): requests are due at planned
times whatever the answers do, and a latency counts from when its request was due (no coordinated omission). With
`ramp_seconds` the rate rises in a straight line from nothing, as when one user comes after the other.
"""

import asyncio
import itertools
import math
import resource
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import httptools
import msgspec
import uvloop

from holdfast.proof.history.log import Log, Wish

_GRACE_SECONDS = 10.0
"""How long answers are waited for after the last request: longer than any deadline of the server."""
_TICK_SECONDS = 0.001
_RECONNECT_SECONDS = 0.05
_KEPT_ANSWERS_MAX = 5
_KEPT_BYTES_MAX = 2000


class Plan(msgspec.Struct, kw_only=True):
    """`requests`: whole requests as bytes, sent in this order, by whichever client is free; `repeat` begins again at
    the end. The run ends with the requests or after `seconds`, whichever comes first. Answers to requests
    sent in the first `warm_up_seconds` are counted in `statuses` only. `also_expected`, `others_expected`: other statuses that
    answers may have. `wishes`: what each request asks for, in the same order; then what the clients see is written to `history_file`.
    `reconnects`: a client whose connection is lost makes another as long as the run lasts, as where servers are killed."""

    host: str
    port: int
    clients: int
    requests: list[bytes]
    expected_status: int
    seconds: float
    repeat: bool = False
    warm_up_seconds: float = 0.0
    rate: float | None = None
    ramp_seconds: float = 0.0
    tls: bool = False
    reconnects: bool = False
    also_expected: int | None = None
    others_expected: tuple[int, ...] = ()
    wishes: list[Wish] = []
    history_file: str = ""


class Result(msgspec.Struct, kw_only=True):
    """`offered` = answers in `statuses` + `failed` (no answer). `seconds`, `latencies` and `cpu_seconds` are those of
    the time after the warm-up; `answered` counts expected answers in it. `moments`: when each of the `latencies` ended,
    in seconds since the first request; `statuses_of` its status."""

    offered: int
    statuses: dict[int, int]
    failed: int
    answered: int
    seconds: float
    cpu_seconds: float
    latencies: bytes
    moments: bytes = b""
    statuses_of: bytes = b""
    backlog_max: int = 0
    unexpected: list[str] = []

    @property
    def samples(self) -> "array[float]":
        return _doubles(self.latencies)

    @property
    def ends(self) -> "array[float]":
        return _doubles(self.moments)

    @property
    def statuses_each(self) -> "array[int]":
        found = array("H")
        found.frombytes(self.statuses_of)
        return found


def _doubles(raw: bytes) -> "array[float]":
    found = array("d")
    found.frombytes(raw)
    return found


class Run:
    """One run's state; the clients call it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.offered = 0
        self.failed = 0
        self.statuses: Counter[int] = Counter()
        self.latencies, self.moments, self.statuses_of = array("d"), array("d"), array("H")
        self.unexpected: list[str] = []
        self.backlog: deque[tuple[float, bytes]] = deque()
        self.backlog_max = 0
        self.done = asyncio.Event()
        self.last_answer = self.begins = self.measures_from = self.ends = 0.0
        self.cpu_from = self.cpu_to = 0.0
        self._requests: Iterator[bytes] = (
            itertools.cycle(plan.requests) if plan.repeat else iter(plan.requests)
        )
        self._expected = (plan.expected_status, plan.also_expected, *plan.others_expected)
        self._log = Log(plan.wishes) if plan.wishes else None
        self._clients: list[_Client] = []
        self._idle: deque[_Client] = deque()
        self._under_way = 0
        self._is_over = False
        self._returning: set[asyncio.Task[None]] = set()

    async def carry_out(self) -> Result:
        loop = asyncio.get_running_loop()
        log = self._log
        for _ in range(self.plan.clients):
            self._clients.append(await self._connected())
        self.begins = self.last_answer = time.perf_counter()
        self.measures_from = self.begins + self.plan.warm_up_seconds
        self.ends = self.measures_from + self.plan.seconds
        self.cpu_from = cpu_seconds()
        if self.plan.warm_up_seconds:
            loop.call_later(self.plan.warm_up_seconds, self._warm)
        loop.call_later(self.plan.warm_up_seconds + self.plan.seconds + _GRACE_SECONDS, self.done.set)
        if self.plan.rate is None:
            for client in self._clients:
                self.next(client)
        else:
            self._idle.extend(self._clients)
            pacer = asyncio.create_task(self._pace(self.plan.rate))
            await pacer
        await self.done.wait()
        self.cpu_to = self.cpu_to or cpu_seconds()
        for client in self._clients:
            client.leave()
        if log is not None:
            log.save(Path(self.plan.history_file))
        return self._result()

    async def _connected(self) -> "_Client":
        loop, log, plan = asyncio.get_running_loop(), self._log, self.plan
        make = partial(_Client, self) if log is None else partial(_LoggingClient, self, log)
        _, client = await loop.create_connection(make, plan.host, plan.port, ssl=plan.tls or None)
        return client

    def next(self, client: "_Client") -> None:
        """Gives a free client its next request, or ends the run when there is none."""
        now = time.perf_counter()
        if self.plan.rate is not None:
            if self.backlog:
                due, request = self.backlog.popleft()
                self._under_way += 1
                client.send(request, due)
            else:
                self._idle.append(client)
                self._end_if_over()
            return
        request = next(self._requests, b"") if now < self.ends else b""
        if request:
            self.offered += 1
            self._under_way += 1
            client.send(request, now)
        else:
            self._is_over = True
            self._end_if_over()

    def answered(self, client: "_Client", status: int, began: float, raw: bytes) -> None:
        now = time.perf_counter()
        self._under_way -= 1
        self.statuses[status] += 1
        if status not in self._expected:
            self._keep(f"{status}: ", raw)
        elif began >= self.measures_from:
            self.latencies.append(now - began)
            self.moments.append(now - self.begins)
            self.statuses_of.append(status)
            self.last_answer = now
        self.next(client)

    def lost(self, client: "_Client", error: str) -> None:
        """A connection ended: its request has no answer, and it takes no other."""
        if client.busy:
            self._under_way -= 1
            self.failed += 1
            self._keep(error, b"")
        if client in self._idle:
            self._idle.remove(client)
        self._clients.remove(client)
        if self.plan.reconnects and time.perf_counter() < self.ends:
            again = asyncio.create_task(self._again())
            self._returning.add(again)
            again.add_done_callback(self._returning.discard)
        elif not self._clients and not self._returning:
            self._is_over = True
            self.backlog.clear()
        self._end_if_over()

    async def _again(self) -> None:
        """Until somebody listens again, or the run is over."""
        while time.perf_counter() < self.ends:
            try:
                client = await self._connected()
            except OSError:
                await asyncio.sleep(_RECONNECT_SECONDS)
            else:
                self._clients.append(client)
                self.next(client)
                return

    def _keep(self, what: str, raw: bytes) -> None:
        if len(self.unexpected) < _KEPT_ANSWERS_MAX:
            self.unexpected.append(what + raw[-_KEPT_BYTES_MAX:].decode(errors="replace"))

    def _end_if_over(self) -> None:
        if self._is_over and not self._under_way and not self.backlog:
            self.cpu_to = cpu_seconds()
            self.done.set()

    def _warm(self) -> None:
        self.cpu_from = cpu_seconds()

    async def _pace(self, rate: float) -> None:
        """Makes requests due at their planned times and hands them to idle clients, else to the backlog."""
        for number in itertools.count():
            due = self.begins + due_after(number, rate, self.plan.ramp_seconds)
            request = next(self._requests, b"") if due < self.ends else b""
            if not request or not (self._clients or self._returning):
                break
            wait = due - time.perf_counter()
            if wait > 0:
                # Never early: a timer may be a millisecond off. Being late counts as latency.
                await asyncio.sleep(wait + _TICK_SECONDS)
            self.offered += 1
            if self._idle:
                self._under_way += 1
                self._idle.popleft().send(request, due)
            else:
                self.backlog.append((due, request))
                self.backlog_max = max(self.backlog_max, len(self.backlog))
        self._is_over = True
        self._end_if_over()

    def _result(self) -> Result:
        unanswered = self.offered - sum(self.statuses.values())
        return Result(
            offered=self.offered,
            statuses=dict(self.statuses),
            failed=unanswered,
            answered=len(self.latencies),
            seconds=max(0.0, self.last_answer - self.measures_from),
            cpu_seconds=self.cpu_to - self.cpu_from,
            latencies=self.latencies.tobytes(),
            moments=self.moments.tobytes(),
            statuses_of=self.statuses_of.tobytes(),
            backlog_max=self.backlog_max,
            unexpected=self.unexpected,
        )


class _Client(asyncio.Protocol):
    """One connection. Only the end of a message calls back into Python."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._data = b""
        self._began = 0.0
        self._leaving = False
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods, not the base class.
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, began: float) -> None:
        self._began, self.busy = began, True
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._data = data
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.busy = False
        self._run.answered(self, self._parser.get_status_code(), self._began, self._data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._leaving:
            self._run.lost(self, "connection lost" if exc is None else f"connection lost: {exc}")

    def leave(self) -> None:
        self._leaving = True
        if self._transport is not None:
            self._transport.abort()


class _LoggingClient(_Client):
    """One connection whose requests and answers are logged. A client of its own, so that others pay nothing for it: requests
    are sent in the order of the plan, whoever sends them."""

    def __init__(self, run: Run, log: Log) -> None:
        super().__init__(run)
        self._log = log
        self._wish, self._sent, self._body = Wish(kind="book"), 0.0, b""
        self._due = 0.0

    def send(self, request: bytes, began: float) -> None:
        self._body = b""
        self._wish, self._sent = self._log.sending()
        self._due = began
        super().send(request, began)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._log.answered(self._wish, self._sent, self._parser.get_status_code(), self._body, self._due)
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.busy and not self._leaving:
            self._log.lost(self._wish, self._sent)
        super().connection_lost(exc)

    def leave(self) -> None:
        if self.busy:
            self._log.lost(self._wish, self._sent)
        super().leave()


def due_after(number: int, rate: float, ramp_seconds: float) -> float:
    """After how many seconds the request of this number (from 0 on) is due, where `rate` a second is reached after the ramp."""
    in_ramp = rate * ramp_seconds / 2
    if number < in_ramp:
        return math.sqrt(2 * number * ramp_seconds / rate)
    return ramp_seconds + (number - in_ramp) / rate


def cpu_seconds() -> float:
    """Processor time of this process so far, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def request(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def drive(plan: Plan) -> Result:
    """Carries a plan out in this event loop."""
    return await Run(plan).carry_out()


def main() -> None:
    plan_file, result_file = map(Path, sys.argv[1:3])
    plan = msgspec.msgpack.decode(plan_file.read_bytes(), type=Plan)
    result_file.write_bytes(msgspec.msgpack.encode(uvloop.run(drive(plan))))


if __name__ == "__main__":
    main()
