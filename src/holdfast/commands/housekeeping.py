"""What nobody waits for: answers past their day, holds and sign-ins long over, room plans that nobody applied are thrown
away, without the turn; what has come to its end by the clock is written down.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from holdfast.db.database import Database
from holdfast.db.statements import statement
from holdfast.settings import Settings

_log = structlog.get_logger("holdfast.housekeeping")
Sweep = Callable[[str], Awaitable[None]]
"""What else is done for each organization."""


async def keep_house(database: Database, settings: Settings, sweep: Sweep) -> None:
    """Cleans now and again, until it is cancelled."""
    while True:
        await asyncio.sleep(settings.housekeeping_seconds)
        try:
            await cleaned(database, settings, sweep)
        except Exception as error:  # noqa: BLE001 the next round tries again
            _log.warning("housekeeping_failed", kind=type(error).__name__)


async def cleaned(database: Database, settings: Settings, sweep: Sweep) -> None:
    """Goes through all organizations once; what fails in one is logged, and the others have theirs. Raises what the
    database raises when it does not even tell which there are."""
    async with database.any() as connection:
        rows = await connection.fetch(statement("organizations_known"))
    for organization in (str(row["organization_id"]) for row in rows):
        try:
            await _cleaned(database, settings, organization)
            await sweep(organization)
        except Exception as error:  # noqa: BLE001 the next round tries again
            _log.warning("housekeeping_failed", organization_id=organization, kind=type(error).__name__)


async def _cleaned(database: Database, settings: Settings, organization: str) -> None:
    async with database.writing(organization) as connection:
        await connection.execute(statement("housekeeping_keys"), organization)
        await connection.execute(statement("housekeeping_sessions"), organization)
        await connection.execute(statement("housekeeping_holds"), organization)
        await connection.execute(
            statement("housekeeping_room_plans"), organization, settings.room_plan_keep_days
        )
