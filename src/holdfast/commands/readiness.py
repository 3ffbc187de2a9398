"""Whether this process should be given work: the database there, its schema ours, its durability strong, the role
plain, no old pooler between. Looks at most every few seconds, whoever asks; repairs nothing.
"""

import asyncio
import time

import asyncpg
import structlog

from holdfast.db import doctor
from holdfast.db.database import Database
from holdfast.errors import Overloaded
from holdfast.settings import Settings

_log = structlog.get_logger("holdfast.readiness")
_GOOD_SECONDS = 3.0
_LOOK_SECONDS_MAX = 2.5


class Readiness:
    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._alone = asyncio.Lock()
        self._good_until = 0.0
        self._found: tuple[str, ...] = ()
        self._pooler_is_known = False
        self.is_leaving = False
        """Set when the process is told to stop: it still answers, but wants no new work."""

    async def problems(self) -> tuple[str, ...]:
        """Codes of what is wrong; their sentences are for the log, not for whoever asks."""
        if self.is_leaving:
            return ("stopping",)
        async with self._alone:
            if time.monotonic() >= self._good_until:
                found = await self._look()
                if found != self._found:
                    _log.warning("readiness_changed", problems=found)
                self._found, self._good_until = found, time.monotonic() + _GOOD_SECONDS
            return self._found

    async def _look(self) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(_LOOK_SECONDS_MAX):
                found = await self._findings()
        except (OSError, TimeoutError, Overloaded, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("database_unreachable", kind=type(error).__name__)
            return ("unreachable",)
        for one in found:
            if one.grave:
                _log.error("not_ready", code=one.code, sentence=one.sentence, remedy=one.remedy)
        return tuple(dict.fromkeys(one.code for one in found if one.grave))

    async def _findings(self) -> list[doctor.Problem]:
        async with self._database.any() as connection:
            found = await doctor.schema_problems(connection)
            found += await doctor.durability_problems(connection)
            found += await doctor.role_problems(connection)
        if not self._pooler_is_known:  # what stands between does not change under a running process
            met = await doctor.pooler_problems(self._settings.database_url, self._settings.database_pooler)
            self._pooler_is_known = not met
            found += met
        return found
