"""What the optimiser is asked and answers, and how it is run: a program of its own beside the server, stopped when its time
is over, whose packages (the extra `optimise`) need not be there.
"""

import asyncio
import contextlib
import sys
import time
from importlib.util import find_spec
from typing import Final

import msgspec

from holdfast.errors import Overloaded, Refused

_END_SECONDS: Final = 0.2
"""So much of the time is left for the answer and its reading."""
_PATIENCE_SECONDS: Final = 2.0
"""A machine that is busy may be late; then the program is stopped."""


class Offer(msgspec.Struct, array_like=True, frozen=True):
    """`who` may be given this `place`, which scores so much. Whoever stays moves nobody. One that is not `fit` is where
    somebody is and may stay, though it suits no more."""

    who: int
    place: int
    score: int
    stays: bool = False
    fit: bool = True


class Limit(msgspec.Struct, array_like=True, frozen=True):
    """Of these offers (by index) so many can be taken at once."""

    offers: list[int]
    most: int


class Puzzle(msgspec.Struct, frozen=True):
    """Whoever has an offer to stay takes exactly one of theirs, anybody else one or none; that everybody stays is possible.
    No score is negative."""

    offers: list[Offer]
    limits: list[Limit]


class Solution(msgspec.Struct, frozen=True):
    """The offers taken (by index), in this order of importance: as many fit ones as can be, then the best score in sum, then
    the fewest moves. `bound`: with so many fit ones no choice scores more. `is_optimal`: all three are proven."""

    taken: list[int]
    bound: int
    is_optimal: bool


def check_installed() -> None:
    """Raises Refused (optimiser_missing)."""
    if find_spec("ortools") is None or find_spec("numpy") is None:
        raise Refused(
            "optimiser_missing",
            "Room plans need the optimiser, which is not installed here: add holdfast[optimise].",
        )


async def solved(puzzle: Puzzle, seconds: float) -> Solution:
    """`seconds`: how long it may take, loading included. Raises Overloaded when there is no answer by then."""
    ready = time.monotonic() + seconds - _END_SECONDS
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "holdfast.commands.room_plan_solver", str(ready),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds + _PATIENCE_SECONDS):
            answer, _ = await process.communicate(msgspec.json.encode(puzzle))
    except TimeoutError:
        raise Overloaded("room_plan") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"the optimiser ended with {process.returncode}")
    return msgspec.json.decode(answer, type=Solution)
