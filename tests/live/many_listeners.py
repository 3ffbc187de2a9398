"""Many listeners in a process of their own: says "ready", then when each heard each event (monotonic seconds).

Arguments: port, token, how many, up to which sequence.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from live.listening import Stream


async def main(port: int, token: str, count: int, until: int) -> None:
    streams = [await Stream.open(port, token) for _ in range(count)]
    for stream in streams:
        await stream.block()
    print("ready", flush=True)  # noqa: T201

    async def listen(stream: Stream) -> list[tuple[int, float]]:
        heard: list[tuple[int, float]] = []
        while not heard or heard[-1][0] < until:
            event = await stream.event(30)
            assert event is not None
            heard.append((event.seq, time.monotonic()))
        return heard

    print(json.dumps(await asyncio.gather(*(listen(stream) for stream in streams))))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
