"""A wire between server and database that can be cut, frozen and let go, at the moment that its user chooses."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

WRITES = (b"  apply($1", b"select apply(", b"select keep(")
"""What a batch's write, and that of a change outside the lanes, says when it is prepared."""
_PREPARED = re.compile(rb"P.{4}([^\0]+)\0", re.DOTALL)
_OPENING, _COMMIT = b"isolation level read committed read write", b"commit\n\0"
_IDLE = b"Z\x00\x00\x00\x05I"
"""The database has answered everything and is in no transaction."""

Fate = Literal["cut before", "cut at once", "cut after", "freeze"]


class Proxy:
    """`on_write` is the fate of the next batch's write: the wire is cut before it reaches the database; as soon as it
    has been sent; when the database has committed it and before the answer is told; or everything freezes once it has
    been sent, and stays so until `thaw`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.on_write: Fate | None = None
        self.struck = asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def fell(self) -> bool:
        """Whether the fate that was asked for has come about."""
        return self.on_write is None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire: list[asyncio.StreamWriter] = [writer]
        # Cancelled only when the test is over.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._flowing.wait()
            to_database = await asyncio.open_connection("127.0.0.1", self.target)
            wire.append(to_database[1])
            line = _Line(self, wire)
            await asyncio.gather(line.asking(reader, to_database[1]), line.answering(to_database[0], writer))
        _cut(wire)

    def fate(self) -> Fate | None:
        """What becomes of a write that goes through now."""
        if self.on_write is None:
            return None
        fate, self.on_write = self.on_write, None
        self.struck.set()
        return fate

    async def flow(self) -> None:
        await self._flowing.wait()


class _Line:
    """One connection's two directions."""

    def __init__(self, proxy: Proxy, wire: list[asyncio.StreamWriter]) -> None:
        self._proxy, self._wire = proxy, wire
        self._cut_when_committed = False
        self._names: set[bytes] = set()
        self._is_open = self._is_written = False

    async def asking(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """From the server to the database."""
        while data := await self._next(reader):
            fate = self._proxy.fate() if self._commits(data) else None
            if fate == "cut before":
                break
            if fate == "cut after":
                self._cut_when_committed = True
            writer.write(data)
            if fate == "cut at once":
                await writer.drain()
                break
            if fate == "freeze":
                self._proxy.freeze()
        _cut(self._wire)

    def _commits(self, data: bytes) -> bool:
        """Whether a write is committed by this: one outside a transaction by itself, one inside by its COMMIT."""
        for write in WRITES:
            if (at := data.find(write)) >= 0:
                self._names.add(_PREPARED.findall(data[:at])[-1])
        if _OPENING in data:
            self._is_open, self._is_written = True, False
        self._is_written |= any(b"\0" + name + b"\0" in data for name in self._names)
        if not self._is_written or (self._is_open and _COMMIT not in data):
            return False
        self._is_open = self._is_written = False
        return True

    async def answering(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """From the database to the server."""
        while data := await self._next(reader):
            if not self._cut_when_committed:
                writer.write(data)
            elif _IDLE in data:
                break
        _cut(self._wire)

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        await self._proxy.flow()
        try:
            data = await reader.read(1 << 16)
        except OSError:
            data = b""
        await self._proxy.flow()
        return data


def _cut(wire: list[asyncio.StreamWriter]) -> None:
    """What has been written is sent; then both sides see the end."""
    for writer in wire:
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()


@asynccontextmanager
async def proxied(target: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, backlog=1024)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.thaw()
        server.close()
