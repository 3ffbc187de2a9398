"""What the laws speak HTTP with: one keep-alive connection per client, light enough that fifty of them meet in one
instant. An answer that never came is an answer too: status 0, and nobody knows what happened.
"""

import asyncio
import json
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from holdfast import ids

NO_ANSWER = 0
PATIENCE_SECONDS = 40.0
"""Longer than any deadline: who waits so long is waiting for ever."""
Result = TypeVar("Result")


@dataclass
class Reply:
    """`seconds`: from asking to the whole answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    seconds: float = 0.0

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def replayed(self) -> bool:
        return self.headers.get("idempotency-replayed") == "true"


class Client:
    """One user's connection to one server; it connects again by itself after a loss."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port, self.token = port, token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Reply:
        return await self.ask("GET", path)

    async def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        return await self.ask("POST", path, body, **headers)

    async def patch(self, path: str, body: Any, **headers: str) -> Reply:
        return await self.ask("PATCH", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> Reply:
        return await self.ask("DELETE", path, **headers)

    async def connect(self) -> None:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()  # a server lets go of a connection on which nothing was asked for some seconds
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """`idempotency_key="…"` and the like become headers."""
        began = time.monotonic()
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} /api/v1{path} HTTP/1.1", "Host: laws", f"Content-Length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [f"Authorization: Bearer {self.token}"] if self.token else []
        lines += ["Content-Type: application/json"] if content else []
        try:
            await self.connect()
            assert self._streams is not None
            reader, writer = self._streams
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + content)
            async with asyncio.timeout(PATIENCE_SECONDS):
                reply = await _read(reader)
        except TimeoutError:
            raise AssertionError(f"{method} {path} has no answer after {PATIENCE_SECONDS} s") from None
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            reply = Reply(NO_ANSWER)
        reply.seconds = time.monotonic() - began
        if reply.headers.get("connection") == "close":
            self.close()
        return reply

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Reply(int(head[0].split()[1]), headers, content)


async def together(work: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Starts all in one turn of the loop; their results in order."""
    return list(await asyncio.gather(*work))


async def settled(
    client: Client, method: str, path: str, body: Any, *, key: str = "", tries: int = 60
) -> Reply:
    """Asks with one key until somebody says what became of it, as an honest client does."""
    key = key or ids.new()
    reply = Reply(NO_ANSWER)
    for _ in range(tries):
        reply = await client.ask(method, path, body, idempotency_key=key)
        if reply.status not in {NO_ANSWER, 503}:
            return reply
        await asyncio.sleep(0.2)
    return reply
