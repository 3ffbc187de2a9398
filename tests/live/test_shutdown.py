"""A real server process, told to stop by a signal, lets go of its open streams at once."""

import asyncio
import os
import re
import signal
import sys
import time

from live.listening import Process, Stream, World, book, visit

from holdfast.settings import Settings


async def test_a_signal_ends_open_streams(settings: Settings, process: Process, world: World) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "--factory", "holdfast.app:create", "--port", "0", "--no-access-log",
        stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        env={
            **{name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST_")},
            "HOLDFAST_DATABASE_URL": settings.database_url,
            "HOLDFAST_SECRET_KEY": settings.secret_key,
            "HOLDFAST_HOME": settings.home,
            "HOLDFAST_SHUTDOWN_DEADLINE_SECONDS": "60",
        },
    )  # fmt: skip
    assert server.stderr is not None
    said = ""
    async with asyncio.timeout(30):
        while (found := re.search(r"http://127\.0\.0\.1:(\d+)", said)) is None:
            line = (await server.stderr.readline()).decode()
            assert line, said
            said += line
    streams = [await Stream.open(int(found[1]), world.organization.tokens["admin"]) for _ in range(20)]
    await book(process, world, visit(world))
    assert all(await asyncio.gather(*(stream.event() for stream in streams)))
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    rest = (await server.stderr.read()).decode()
    await server.wait()
    assert time.monotonic() - began < 30, "the streams end, nothing waits for the deadline"
    assert [await stream.event() for stream in streams] == [None] * 20
    assert all(stream.ended_well for stream in streams)
    assert "ERROR" not in rest
