"""How soon a change is seen on other open calendars: many event streams and one writer, in a process of its own
(`python -m holdfast.proof.listeners PLAN RESULT`), so that all times are of one clock. Judges nothing.

While the run lasts a stream only notes when bytes came; they are read afterwards.
"""

import asyncio
import re
import sys
import time
from array import array
from bisect import bisect_left
from itertools import accumulate
from pathlib import Path
from typing import cast

import httptools
import msgspec
import uvloop

from holdfast.proof.driver import cpu_seconds

_EVENT = re.compile(rb'event: appointment\.booked\ndata: \{"id":"([0-9a-f-]{36})"[^\n]*\n\n')
_OPENING_AT_ONCE = 20
_OPENING_SECONDS = 20.0
_SETTLE_SECONDS = 0.5
_LAST_EVENT_SECONDS = 2.0
_ANSWER_SECONDS = 10.0


class Plan(msgspec.Struct, kw_only=True):
    """Each of `bookings` is a whole request, sent at `rate` per second while `listeners` streams are open."""

    host: str
    port: int
    listeners: int
    stream: bytes
    bookings: list[bytes]
    rate: float


class Result(msgspec.Struct, kw_only=True):
    """Seconds from the answer to a booking, and from its sending, to its event on a stream; every stream's every
    event is one sample. The commit lies between the two. `missing`: events that did not come."""

    bookings: int
    statuses: dict[int, int]
    from_answer: bytes
    from_sending: bytes
    missing: int
    cpu_seconds: float


class Stream(asyncio.Protocol):
    """One open calendar: what came, and when."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.opened = asyncio.Event()
        self.chunks: list[bytes] = []
        self.times = array("d")
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        # uvloop's transports have the methods, not the base class.
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self.times.append(time.perf_counter())
        self.chunks.append(data)
        self.opened.set()

    def seen(self) -> dict[bytes, float]:
        """When each booked visit was whole on this stream."""
        ends = list(accumulate(len(chunk) for chunk in self.chunks))
        found = _EVENT.finditer(b"".join(self.chunks))
        return {event[1]: self.times[bisect_left(ends, event.end())] for event in found}


class Writer(asyncio.Protocol):
    """One connection that books."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[float] | None = None
        self._transport: asyncio.Transport | None = None
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(time.perf_counter())

    async def book(self, request: bytes) -> tuple[int, bytes, float, float]:
        """Status, the visit's id, when it was sent and when it was answered."""
        if self._transport is None:
            raise RuntimeError("not connected")
        self._body, self._answered = b"", asyncio.get_running_loop().create_future()
        sent = time.perf_counter()
        self._transport.write(request)
        answered = await asyncio.wait_for(self._answered, _ANSWER_SECONDS)
        visit = re.match(rb'\{"id":"([0-9a-f-]{36})"', self._body)
        return self._parser.get_status_code(), visit[1] if visit else b"", sent, answered


async def listen(plan: Plan) -> Result:
    """Opens every stream, books at the planned times, and compares."""
    loop = asyncio.get_running_loop()
    streams: list[Stream] = []
    for first in range(0, plan.listeners, _OPENING_AT_ONCE):
        some = range(first, min(first + _OPENING_AT_ONCE, plan.listeners))
        opening = [loop.create_connection(lambda: Stream(plan.stream), plan.host, plan.port) for _ in some]
        new = [stream for _, stream in await asyncio.gather(*opening)]
        await asyncio.wait_for(asyncio.gather(*(stream.opened.wait() for stream in new)), _OPENING_SECONDS)
        streams += new
    _, writer = await loop.create_connection(Writer, plan.host, plan.port)
    await asyncio.sleep(_SETTLE_SECONDS)
    used, began, booked = cpu_seconds(), time.perf_counter(), []
    for number, request in enumerate(plan.bookings):
        await asyncio.sleep(began + number / plan.rate - time.perf_counter())
        booked.append(await writer.book(request))
    await asyncio.sleep(_LAST_EVENT_SECONDS)
    used = cpu_seconds() - used
    for stream in streams:
        if stream.transport is not None:
            stream.transport.close()
    return _compared(streams, booked, used)


def _compared(streams: list[Stream], booked: list[tuple[int, bytes, float, float]], used: float) -> Result:
    from_answer, from_sending = array("d"), array("d")
    statuses: dict[int, int] = {}
    missing = 0
    for status, *_ in booked:
        statuses[status] = statuses.get(status, 0) + 1
    for stream in streams:
        seen = stream.seen()
        for _, visit, sent, answered in booked:
            when = seen.get(visit)
            if when is None:
                missing += 1
            else:
                from_answer.append(when - answered)
                from_sending.append(when - sent)
    return Result(
        bookings=len(booked), statuses=statuses, from_answer=from_answer.tobytes(),
        from_sending=from_sending.tobytes(), missing=missing, cpu_seconds=used,
    )  # fmt: skip


def main() -> None:
    plan_file, result_file = map(Path, sys.argv[1:3])
    plan = msgspec.msgpack.decode(plan_file.read_bytes(), type=Plan)
    result_file.write_bytes(msgspec.msgpack.encode(uvloop.run(listen(plan))))


if __name__ == "__main__":
    main()
