"""What a process reads before anybody asks: the directories of some organizations, with their policies compiled. Nobody waits
for it, and what it does not come to is read when it is asked for.
"""

import structlog

from holdfast.db.database import Database
from holdfast.db.statements import statement
from holdfast.rules.facts import Directory
from holdfast.rules.policy.policy import in_force

_log = structlog.get_logger("holdfast.warm")


async def warm(database: Database, directories: dict[str, Directory], organizations_max: int) -> None:
    """Puts directories into `directories`, one organization after the other; those that are there already stay."""
    try:
        async with database.any() as connection:
            rows = await connection.fetch(statement("organizations_some"), organizations_max)
        for organization in [str(row["organization_id"]) for row in rows]:
            async with database.reading(organization) as connection:
                document = await connection.fetchval(statement("directory"), organization)
            if document is not None and organization not in directories:
                directory = Directory.decode(document)
                in_force(directory)
                directories[organization] = directory
    except Exception as error:  # noqa: BLE001 it is a convenience: the first request reads what is missing
        _log.warning("warming_failed", kind=type(error).__name__)
