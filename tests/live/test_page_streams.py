"""A page's live updates: opened by its cookie, no sign of anybody being there, ended with its session."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest
from api.people import PASSWORD, Client
from live.listening import Process, Stream, World

from holdfast.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, session_recheck_seconds=0.2)


@pytest.fixture
async def opened(client: Client, world: World) -> httpx2.Response:
    """The answer to a page that signed in."""
    body = {"email": world.organization.emails["scheduler"], "password": PASSWORD}
    async with client() as nobody:
        return await nobody.post("/api/v1/auth/session", json=body)


@pytest.fixture
async def stream(opened: httpx2.Response, port: int) -> AsyncIterator[Stream]:
    stream = await Stream.open(port, "", cookie=opened.headers["set-cookie"].partition(";")[0])
    yield stream
    stream.close()


async def used_at(owner: Any, minutes_earlier: int = 0) -> Any:
    """When the page was last used; moved back by so many minutes first."""
    return await owner.fetchval(
        "update sign_in_sessions set used_at = used_at - make_interval(mins => $1)"
        " where cookie_hash is not null returning used_at",
        minutes_earlier,
    )


async def looked_again(process: Process) -> None:
    """Waits until the stream has asked the database again whether its session is good."""
    async with asyncio.timeout(5):
        before = [known.good_until for known in process.house.identity.pages.values()]
        while [known.good_until for known in process.house.identity.pages.values()] == before:
            await asyncio.sleep(0.01)


async def test_an_open_stream_is_no_use(process: Process, stream: Stream, owner: Any) -> None:
    assert stream.status == 200
    aged = await used_at(owner, 10)
    for _ in range(4):
        await looked_again(process)
    assert await used_at(owner) == aged
    await stream.silence()


async def test_an_idle_page_ends_its_stream(stream: Stream, owner: Any) -> None:
    await stream.block()
    await used_at(owner, 31)
    assert await stream.event() is None


async def test_signing_the_page_out_ends_its_stream(
    client: Client, opened: httpx2.Response, stream: Stream
) -> None:
    await stream.block()
    headers = {
        "Cookie": opened.headers["set-cookie"].partition(";")[0],
        "X-CSRF-Token": opened.json()["csrf_token"],
    }
    async with client() as user:
        assert (await user.delete("/api/v1/auth/session", headers=headers)).status_code == 204
    assert await stream.event() is None
