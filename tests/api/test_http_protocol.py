"""What comes over the wire when an answer is written as a whole: the same as when it goes in parts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn

from holdfast.api.door import WHOLE, Header
from holdfast.api.http_protocol import WholeAnswers

Given = tuple[int, Sequence[Header], bytes]
ANSWER: Given = (201, [(b"content-length", b"5"), (b"x-one", b"1"), (b"etag", b'"7"')], b"hello")
Told = list[str]


async def application(answer: Given, told: Told, scope: Any, receive: Any, send: Any) -> None:
    """Answers /whole as a whole where it can, /parts in parts, and tells which it was."""
    status, headers, content = answer
    await receive()
    if scope["path"] == "/whole":
        try:
            is_sent = scope["extensions"][WHOLE]["send"](*answer)
        except ValueError:
            told.append("refused")
            is_sent, headers, content = False, [(b"content-length", b"0")], b""
        if is_sent:
            told.append("whole")
            return
    told.append("parts")
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def serving(
    told: Told, answer: Given = ANSWER
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of its own."""
    config = uvicorn.Config(
        partial(application, answer, told), http=WholeAnswers, interface="asgi3", port=0, lifespan="off",
        log_level="critical",
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    yield reader, writer
    writer.close()
    server.should_exit = True
    await running


def request(path: str, method: str = "GET", *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: t", *headers, "", ""]).encode()


async def read(reader: asyncio.StreamReader, count: int = 1, content: bytes = b"hello") -> list[list[bytes]]:
    """So many answers: the lines of each head, without the date."""
    found = []
    for _ in range(count):
        async with asyncio.timeout(20):
            head = await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(len(content)) == content
        lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        found.append([line for line in lines if not line.startswith((b"date: ", b"server: "))])
    return found


async def test_a_whole_answer_is_the_same_on_the_wire() -> None:
    told: Told = []
    async with serving(told) as (reader, writer):
        for path in ("/whole", "/parts"):
            writer.write(request(path))  # both are asked before the first is answered
        whole, parts = await read(reader, 2)
    assert told == ["whole", "parts"]
    assert whole == parts == [b"HTTP/1.1 201 Created", b"content-length: 5", b"x-one: 1", b'etag: "7"']


async def test_one_connection_serves_many() -> None:
    told: Told = []
    async with serving(told) as (reader, writer):
        for _ in range(3):
            writer.write(request("/whole"))
            await read(reader)
    assert told == ["whole"] * 3


@pytest.mark.parametrize(
    ("method", "headers", "content"),
    [("HEAD", (), b""), ("GET", ("Connection: close",), b"hello")],
    ids=["without its content", "the last"],
)
async def test_what_is_not_usual_goes_in_parts(method: str, headers: tuple[str, ...], content: bytes) -> None:
    told: Told = []
    async with serving(told) as (reader, writer):
        writer.write(request("/whole", method, *headers))
        (lines,) = await read(reader, content=content)
        if headers:
            assert await reader.read() == b""
    assert told == ["parts"]
    assert lines[1] == b"content-length: 5"
    assert (b"connection: close" in lines) == bool(headers)


async def test_who_does_not_read_is_waited_for() -> None:
    """As much is written as the kernel and the transport take; the rest waits for the reader."""
    told: Told = []
    content = b"x" * 2_000_000
    async with serving(told, (200, [(b"content-length", b"2000000")], content)) as (reader, writer):
        for _ in range(6):
            writer.write(request("/whole"))
        await asyncio.sleep(0.3)
        assert len(told) < 6
        await read(reader, 6, content)
    assert len(told) == 6
    assert "parts" in told


@pytest.mark.parametrize("value", [b"1\r\nset-cookie: a=b", b"1\nx: y", b"1\ry"])
async def test_a_header_is_one_line(value: bytes) -> None:
    told: Told = []
    async with serving(told, (200, [(b"x-one", value)], b"")) as (reader, writer):
        writer.write(request("/whole"))
        (lines,) = await read(reader, content=b"")
    assert lines == [b"HTTP/1.1 200 OK", b"content-length: 0"]
    assert told == ["refused", "parts"]
