"""Servers of their own for every law, and after each law: every invariant holds and the server counted no deadlock."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from laws.servers import processes
from laws.world import World, broken_invariants, deadlocks, make_world

from holdfast.settings import Settings

Open = Callable[..., Awaitable[World]]


def _show(folder: Path) -> None:
    """What the servers said is shown when the test fails."""
    for log in sorted(folder.glob("server-*.log")):
        sys.stdout.write(log.read_text(errors="replace")[-20_000:])


@pytest.fixture
async def open_world(settings: Settings, tmp_path: Path) -> AsyncIterator[Open]:
    """Gives what makes a world served by so many processes of its own."""
    stack = ExitStack()

    async def make(servers: int = 1, served_by: Settings | None = None, **sizes: Any) -> World:
        started = stack.enter_context(processes(served_by or settings, servers, tmp_path))
        return await make_world(settings, started, **sizes)

    try:
        yield make
    finally:
        # Beside the loop: a proxy in it must carry the servers' goodbyes.
        await asyncio.to_thread(stack.close)
        _show(tmp_path)
    assert not await broken_invariants(settings)
    assert await deadlocks(settings) == 0
