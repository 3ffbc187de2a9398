"""What nobody waits for: answers past their day, holds and sign-ins long over are thrown away. Takes no turn."""

import asyncio

import structlog

from holdfast.db.database import Database
from holdfast.db.statements import statement

_log = structlog.get_logger("holdfast.housekeeping")


async def keep_house(database: Database, every_seconds: float) -> None:
    """Goes through all organizations, now and again, until it is cancelled."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            async with database.any() as connection:
                rows = await connection.fetch(statement("organizations_known"))
            for row in rows:
                async with database.writing(str(row["organization_id"])) as connection:
                    await connection.execute(statement("housekeeping_keys"), row["organization_id"])
                    await connection.execute(statement("housekeeping_sessions"), row["organization_id"])
                    await connection.execute(statement("housekeeping_holds"), row["organization_id"])
        except Exception as error:  # noqa: BLE001 the next round tries again
            _log.warning("housekeeping_failed", kind=type(error).__name__)
