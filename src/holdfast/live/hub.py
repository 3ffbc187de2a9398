"""Tell: every change of an organization to everyone here who listens, in order, without gap or repeat.

Per organization one reader reads new events once and keeps the last of them for all its listeners. That there is
something new comes from a hint (commits of this process) or from asking where the organization stands (commits of
others); what is new comes from storage alone. Nothing here knows who may see what, or how it is sent.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from holdfast.db.database import Database
from holdfast.errors import NotFound, Overloaded
from holdfast.live import replay
from holdfast.live.replay import Event
from holdfast.settings import Settings

# How many events one read brings, and one turn of a listener takes: bounds what is sent in one piece.
_READ_EVENTS_MAX: Final = 500
_TAKE_EVENTS_MAX: Final = 100
# A busy organization is read at most this often; an idle one at once.
_READ_PAUSE_SECONDS: Final = 0.01
_RETRY_PAUSE_SECONDS: Final = 0.25
# How long to rest after asking where every organization stands: asking takes a third of the time at most.
_POLL_REST_FACTOR: Final = 2
# Replays at once: a storm of returning listeners must leave connections to those who book.
_REPLAYS_MAX: Final = 2

_log = structlog.get_logger("holdfast.live")


class Reset(msgspec.Struct, frozen=True):
    """The events between are not to be had: look at everything anew, then go on after `seq`."""

    seq: int


class Listener:
    """One stream's place in its organization's events. Made by Hub.listen; whoever has it closes it."""

    def __init__(self, channel: "_Channel", position: int, *, reset: bool) -> None:
        self.position = position
        """Every event up to here has been taken."""
        self.closed = False
        self.on_drop: Callable[[], None] = lambda: None
        """Called when the listener was too slow, for a send that waits for its client to read."""
        self._channel = channel
        self._reset = reset
        self._in_step = False
        self._news = asyncio.Event()

    async def take(self) -> list[Event] | Reset | None:
        """The next events (at least one, in order), waiting for them; None when the stream is over.

        Raises what reading the database raises.
        """
        while not self.closed:
            if self._reset:
                self._reset = False
                return Reset(self.position)
            if self.position < self._channel.seq:
                events = self._channel.kept_after(self.position)
                if events is None:
                    events = await self._from_storage()
                    if events is None:
                        continue
                else:
                    self._in_step = True
                self.position = events[-1].seq
                return events
            self._in_step = True
            await self._news.wait()
            self._news.clear()
        return None

    async def _from_storage(self) -> list[Event] | None:
        """What is no longer kept in memory; None if the stream must close or begin anew."""
        async with self._channel.hub.replays:
            events = await replay.events_after(
                self._channel.hub.database, self._channel.organization, self.position, _TAKE_EVENTS_MAX
            )
        if events and events[0].seq == self.position + 1:
            return events
        self.position, self._reset = self._channel.seq, True
        return None

    def notice(self) -> None:
        """Called after each read. A listener that was in step and has fallen out of what is kept is dropped:
        it comes back with the last id it saw, and costs no memory meanwhile."""
        if self._in_step and self._channel.is_beyond(self.position):
            self.close()
            self.on_drop()
        self._news.set()

    def close(self) -> None:
        """Ends the stream; a waiting `take` returns None."""
        if not self.closed:
            self.closed = True
            self._channel.leave(self)
            self._news.set()


class _Channel:
    """One organization's events as this process tells them: read up to `seq`, the last ones kept."""

    def __init__(self, hub: "Hub", organization: str, seq: int) -> None:
        self.hub = hub
        self.organization = organization
        self.seq = seq
        self.listeners: set[Listener] = set()
        self._heard = seq
        self._kept: list[Event] = []
        self._wake = asyncio.Event()
        self._is_left = False
        self.reader = asyncio.create_task(self._read())

    def hear(self, seq: int) -> None:
        if seq > self._heard:
            self._heard = seq
            self._wake.set()

    def is_beyond(self, position: int) -> bool:
        """Whether something after the position is no longer kept."""
        return position < self.seq - len(self._kept)

    def kept_after(self, position: int) -> list[Event] | None:
        """The next kept events; None if the first of them is no longer kept. Sequences have no gaps, so a place
        in the list is a matter of counting."""
        if self.is_beyond(position):
            return None
        start = position - self.seq + len(self._kept)
        return self._kept[start : start + _TAKE_EVENTS_MAX]

    def leave(self, listener: Listener) -> None:
        self.listeners.discard(listener)
        if not self.listeners:
            # The reader ends by itself: cancelling a read costs the database more than finishing it.
            self._is_left = True
            self._wake.set()
            self.hub.forget(self)

    async def _read(self) -> None:
        while not self._is_left:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self.seq < self._heard and not self._is_left:
                    await self._read_once()
                    await asyncio.sleep(_READ_PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - the database may be away: listeners wait
                _log.warning("live_read_failed", organization=self.organization, kind=type(error).__name__)
                await asyncio.sleep(_RETRY_PAUSE_SECONDS)
                self._wake.set()

    async def _read_once(self) -> None:
        hub = self.hub
        events = await replay.events_after(hub.database, self.organization, self.seq, _READ_EVENTS_MAX)
        if not events:
            # A hint ahead of what is there: not to be believed; asking where it stands will tell again.
            self._heard = self.seq
            return
        if events[0].seq != self.seq + 1:
            self._kept.clear()
        self._kept += events
        self.seq = events[-1].seq
        self._heard = max(self._heard, self.seq)
        del self._kept[: -hub.settings.live_listener_events_max]
        for listener in list(self.listeners):
            listener.notice()


class Hub:
    """All listeners of this process."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.replays = asyncio.Semaphore(_REPLAYS_MAX)
        self._channels: dict[str, _Channel] = {}
        self._poller: asyncio.Task[None] | None = None
        self._open = False

    async def start(self) -> None:
        self._open = True
        self._poller = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """Ends every stream."""
        self._open = False
        channels = list(self._channels.values())
        for listener in [each for channel in channels for each in channel.listeners]:
            listener.close()
        tasks = [channel.reader for channel in channels] + ([self._poller] if self._poller else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def listeners_count(self) -> int:
        return sum(len(channel.listeners) for channel in self._channels.values())

    def hint(self, organization: str, seq: int) -> None:
        """Someone committed up to `seq`. Costs nothing where nobody listens."""
        channel = self._channels.get(organization)
        if channel is not None:
            channel.hear(seq)

    async def listen(self, organization: str, after: int | None = None) -> Listener:
        """A place after `after`, or at the end. A place that is too old, or has not been reached yet, becomes a
        Reset and the end. The listener is registered before anything is read for it, so nothing falls between.

        Raises Overloaded when this process has enough listeners or stops; NotFound.
        """
        standing = await replay.standing(self.database, organization)
        if not self._open or self.listeners_count >= self.settings.live_listeners_max:
            raise Overloaded("listeners")
        channel = self._channels.get(organization)
        if channel is None:
            channel = self._channels[organization] = _Channel(self, organization, standing.seq)
        channel.hear(standing.seq)
        oldest = max(standing.first - 1, standing.seq - self.settings.live_replay_events_max)
        known = after is not None and oldest <= after <= standing.seq
        position = after if known and after is not None else standing.seq
        listener = Listener(channel, position, reset=after is not None and not known)
        channel.listeners.add(listener)
        return listener

    def forget(self, channel: _Channel) -> None:
        if self._channels.get(channel.organization) is channel:
            del self._channels[channel.organization]

    async def _poll(self) -> None:
        """Hears of commits by other processes. The more organizations are watched, the longer a round takes and
        the longer the rest after it, so that asking never becomes the load."""
        loop = asyncio.get_running_loop()
        rest = self.settings.live_poll_seconds
        while True:
            await asyncio.sleep(rest)
            rest, began = self.settings.live_poll_seconds, loop.time()
            try:
                await self._poll_once()
            except Exception as error:  # noqa: BLE001 - the database may be away: the next round tells
                _log.warning("live_poll_failed", kind=type(error).__name__)
                rest = _RETRY_PAUSE_SECONDS
            rest = max(rest, (loop.time() - began) * _POLL_REST_FACTOR)

    async def _poll_once(self) -> None:
        for organization, channel in list(self._channels.items()):
            try:
                channel.hear(await replay.seq(self.database, organization))
            except NotFound:  # it was deleted: nobody else has to wait for that
                for listener in list(channel.listeners):
                    listener.close()
