"""Lanes: the requests of one organization that arrive while a transaction is under way travel together in the next.

A lane knows order, bounds and deadlines; what a batch is, its carrier knows. An idle lane sends a batch of one at
once; there is no timer.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from holdfast.errors import Overloaded
from holdfast.settings import Settings

_HOPELESS_SECONDS = 0.005
"""A request with less than this left before its deadline is not sent: nobody would read the answer."""


class Ticket(Protocol):
    """One waiting request. `marks`: what at most one request of a batch may be about."""

    future: asyncio.Future[Any]
    deadline: float

    @property
    def marks(self) -> tuple[Any, ...]: ...


T = TypeVar("T", bound=Ticket)


class Carrier(Protocol[T]):
    """Carries out batches of one organization, one at a time, and settles every ticket's future."""

    async def carry(self, tickets: list[T]) -> None: ...

    async def close(self) -> None: ...


class Lane(Generic[T]):
    def __init__(self, carrier: Carrier[T], settings: Settings) -> None:
        self._carrier = carrier
        self._settings = settings
        self._waiting: deque[T] = deque()
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def join(self, ticket: T) -> None:
        """Puts a request into the lane. Raises Overloaded when the lane is full."""
        if len(self._waiting) >= self._settings.lane_queue_requests_max:
            raise Overloaded("the lane is full")
        self._waiting.append(ticket)
        self._arrived.set()

    @property
    def is_over(self) -> bool:
        return self._task.done()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for ticket in self._waiting:
            if not ticket.future.done():
                ticket.future.set_exception(Overloaded("the server is stopping"))
        await self._carrier.close()

    async def _run(self) -> None:
        while await self._is_needed():
            batch = self._next_batch()
            if batch:
                await self._carrier.carry(batch)
        await self._carrier.close()

    async def _is_needed(self) -> bool:
        """Waits for a request; False when none came for so long that the lane may be closed."""
        if not self._waiting:
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), self._settings.lane_idle_seconds)
        # One may have come in the very moment of giving up.
        return bool(self._waiting)

    def _next_batch(self) -> list[T]:
        """The longest waiting requests of which no two bear the same mark; the others wait their turn."""
        now = asyncio.get_running_loop().time()
        batch: list[T] = []
        marks: set[Any] = set()
        later: list[T] = []
        while self._waiting and len(batch) < self._settings.lane_batch_requests_max:
            ticket = self._waiting.popleft()
            if ticket.future.done():
                continue
            if ticket.deadline - now < _HOPELESS_SECONDS:
                ticket.future.set_exception(Overloaded("the deadline passed in the lane"))
                continue
            # An earlier request that waits for its mark must not be overtaken by a later one of the same mark.
            if any(mark in marks for mark in ticket.marks):
                later.append(ticket)
            else:
                batch.append(ticket)
            marks.update(ticket.marks)
        self._waiting.extendleft(reversed(later))
        return batch


class Lanes(Generic[T]):
    """One lane per organization, opened when it is needed and closed when it has been idle."""

    def __init__(self, settings: Settings, carrier: Callable[[str], Carrier[T]]) -> None:
        self._settings = settings
        self._carrier = carrier
        self._lanes: dict[str, Lane[T]] = {}

    def join(self, organization: str, ticket: T) -> None:
        """Puts a request into its organization's lane. Raises Overloaded."""
        lane = self._lanes.get(organization)
        if lane is None or lane.is_over:
            lane = self._lanes[organization] = Lane(self._carrier(organization), self._settings)
            for name in [name for name, other in self._lanes.items() if other.is_over]:
                del self._lanes[name]
        lane.join(ticket)

    async def close(self) -> None:
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))
