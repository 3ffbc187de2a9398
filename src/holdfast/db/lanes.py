"""Lanes: the requests of one organization that arrive while a transaction is under way travel together in the next.

A lane knows order, bounds and deadlines; what a batch is, its carrier knows. An idle lane sends a batch of one at
once; there is no timer.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from holdfast.db.spread import Spread
from holdfast.errors import Overloaded
from holdfast.settings import Settings

_HOPELESS_SECONDS = 0.005
"""A request with less than this left before its deadline is not sent: nobody would read the answer."""
_BATCH_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128)
_SECONDS_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)


class Ticket(Protocol):
    """One waiting request. `marks`: what at most one request of a batch may be about; `joined`: when it came, by
    `time.perf_counter`."""

    future: asyncio.Future[Any]
    deadline: float
    joined: float

    @property
    def marks(self) -> tuple[Any, ...]: ...


T = TypeVar("T", bound=Ticket)


class Carrier(Protocol[T]):
    """Carries out batches of one organization and settles every ticket's future. It may let the lane go on while
    a batch is under way; then it says so, and wakes the lane when the batch has come to its end."""

    async def carry(self, tickets: list[T]) -> None:
        """Takes a batch; an empty one only tells it to look after what has come to its end."""

    async def close(self) -> None: ...

    @property
    def marks(self) -> set[Any]:
        """What is under way is about these; requests with the same marks must wait."""

    @property
    def wanted(self) -> int:
        """How many requests must wait before it takes the next batch."""

    def most(self, waiting: int) -> int:
        """How many of the waiting requests it takes at most; 0 for none before what is under way has come to its end."""

    @property
    def is_under_way(self) -> bool: ...

    @property
    def has_come_to_end(self) -> bool: ...


Wake = Callable[[], None]


class Traffic:
    """What the lanes of one kind have carried in this process: how many requests a batch had, and for how many
    seconds each request waited until it left its lane, in a batch or in vain."""

    def __init__(self) -> None:
        self.batches = Spread(_BATCH_BOUNDS)
        self.seconds = Spread(_SECONDS_BOUNDS)


class Lane(Generic[T]):
    def __init__(self, carrier: Callable[[Wake], Carrier[T]], settings: Settings, traffic: Traffic) -> None:
        self._settings = settings
        self._traffic = traffic
        self._waiting: deque[T] = deque()
        self._news = asyncio.Event()
        self._carrier = carrier(self._news.set)
        self._task = asyncio.create_task(self._run())

    def join(self, ticket: T) -> None:
        """Puts a request into the lane. Raises Overloaded when the lane is full."""
        if len(self._waiting) >= self._settings.lane_queue_requests_max:
            raise Overloaded("lane_full")
        self._waiting.append(ticket)
        self._news.set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def is_over(self) -> bool:
        return self._task.done()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for ticket in self._waiting:
            if not ticket.future.done():
                ticket.future.set_exception(Overloaded("stopping"))
        await self._carrier.close()

    async def _run(self) -> None:
        carrier = self._carrier
        while True:
            self._news.clear()
            batch: list[T] = []
            if len(self._waiting) >= carrier.wanted:
                batch = self._next_batch(carrier.most(len(self._waiting)))
            if batch or carrier.has_come_to_end:
                await carrier.carry(batch)
                # What was sent goes out before more is decided, and others have their turn.
                await asyncio.sleep(0)
            elif not await self._is_needed():
                break
        await carrier.close()

    async def _is_needed(self) -> bool:
        """Waits for news; False when there was none for so long that the lane may be closed."""
        if self._waiting or self._carrier.is_under_way:
            await self._news.wait()
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), self._settings.lane_idle_seconds)
        # A request may have come in the very moment of giving up.
        return bool(self._waiting)

    def _next_batch(self, most: int) -> list[T]:
        """The longest waiting requests of which no two bear the same mark; the others wait their turn."""
        most = min(most, self._settings.lane_batch_requests_max)
        now, clock, seconds = asyncio.get_running_loop().time(), time.perf_counter(), self._traffic.seconds
        batch: list[T] = []
        marks: set[Any] = self._carrier.marks
        later: list[T] = []
        while self._waiting and len(batch) < most:
            ticket = self._waiting.popleft()
            if ticket.future.done():
                seconds.add(clock - ticket.joined)
                continue
            if ticket.deadline - now < _HOPELESS_SECONDS:
                seconds.add(clock - ticket.joined)
                ticket.future.set_exception(Overloaded("deadline_in_lane"))
                continue
            # An earlier request that waits for its mark must not be overtaken by a later one of the same mark.
            if any(mark in marks for mark in ticket.marks):
                later.append(ticket)
            else:
                batch.append(ticket)
                seconds.add(clock - ticket.joined)
            marks.update(ticket.marks)
        self._waiting.extendleft(reversed(later))
        if batch:
            self._traffic.batches.add(len(batch))
        return batch


class Lanes(Generic[T]):
    """One lane per organization, opened when it is needed and closed when it has been idle."""

    def __init__(self, settings: Settings, carrier: Callable[[str, Wake], Carrier[T]]) -> None:
        self._settings = settings
        self._carrier = carrier
        self._lanes: dict[str, Lane[T]] = {}
        self.traffic = Traffic()

    @property
    def waiting(self) -> int:
        """How many requests wait now, of all organizations."""
        return sum(lane.waiting for lane in self._lanes.values())

    def join(self, organization: str, ticket: T) -> None:
        """Puts a request into its organization's lane. Raises Overloaded."""
        lane = self._lanes.get(organization)
        if lane is None or lane.is_over:
            lane = Lane(partial(self._carrier, organization), self._settings, self.traffic)
            self._lanes[organization] = lane
            for name in [name for name, other in self._lanes.items() if other.is_over]:
                del self._lanes[name]
        lane.join(ticket)

    async def close(self) -> None:
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))
