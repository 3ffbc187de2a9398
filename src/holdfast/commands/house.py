"""What every command works with, made once by `app.py`. Holds references and starts what runs beside requests."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from holdfast import ids
from holdfast.actor import Actor
from holdfast.commands.database_figures import DatabaseFigures
from holdfast.commands.housekeeping import Sweep, keep_house
from holdfast.commands.identity import Identity
from holdfast.commands.metrics import Metrics
from holdfast.commands.policy_cache import PolicyCache
from holdfast.commands.policy_faults import PolicyFaults
from holdfast.commands.readiness import Readiness
from holdfast.commands.warm import warm
from holdfast.db.database import Connection, Database
from holdfast.db.lanes import Lanes
from holdfast.db.statements import statement
from holdfast.errors import NotFound
from holdfast.rules.facts import Directory
from holdfast.settings import Settings
from holdfast.vault import Seal, Vault

_log = structlog.get_logger("holdfast.house")
_DENIALS_WAITING_MAX = 10_000


class House:
    def __init__(self, settings: Settings, database: Database, vault: Vault) -> None:
        self.settings = settings
        self.loop = asyncio.get_running_loop()
        self.database = database
        self.vault = vault
        self.identity = Identity(settings, vault)
        self.readiness = Readiness(settings, database)
        self.metrics = Metrics()
        self.database_figures = DatabaseFigures(database)
        self.policy_cache = PolicyCache()
        self.policy_faults = PolicyFaults(self.metrics)
        self.openapi: dict[str, Any] = {}
        """The document of all routes, made by `app.py`, which alone knows them all."""
        self.lanes: Lanes[Any]
        self.page_lanes: Lanes[Any]
        self.conflict_lanes: Lanes[Any]
        self.search_lanes: Lanes[Any]
        self.long_search_lanes: Lanes[Any]
        """The lanes are opened by `app.py`, which knows what travels in them."""
        self.optimiser = asyncio.Semaphore(1)
        """Whoever computes a room plan."""
        self.directories: dict[str, Directory] = {}
        """The last directory read by each organization's readers; good as long as its seq is."""
        self.committed: Callable[[str, int], None] = lambda _organization, _seq: None
        """Called with organization and sequence after each commit of this process: a hint for the hub."""
        self.sweep: Sweep
        """What housekeeping does in turn for each organization; `app.py` says it."""
        self._data_keys: dict[str, bytes] = {}
        self._denials: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue(_DENIALS_WAITING_MAX)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks.append(asyncio.create_task(self._keep_denials()))
        self._tasks.append(asyncio.create_task(keep_house(self.database, self.settings, self.sweep)))
        most = self.settings.warm_organizations_max
        self._tasks.append(asyncio.create_task(warm(self.database, self.directories, most)))

    async def stop(self) -> None:
        for lanes in self.lanes_by_kind.values():
            await lanes.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def lanes_by_kind(self) -> dict[str, Lanes[Any]]:
        """All lanes by the name that operators know them by, those of changes first."""
        return {
            "changes": self.lanes, "pages": self.page_lanes, "conflicts": self.conflict_lanes,
            "searches": self.search_lanes, "long_searches": self.long_search_lanes,
        }  # fmt: skip

    async def seal(self, connection: Connection, organization: str) -> Seal:
        """The seal of the organization, whose transaction is open on the connection. Raises NotFound."""
        wrapped = self._data_keys.get(organization)
        if wrapped is None:
            wrapped = await connection.fetchval(statement("data_key"), organization)
            if wrapped is None:
                raise NotFound("organization_id")
            self._data_keys[organization] = wrapped
        return self.vault.organization(organization, wrapped)

    def forget_organization(self, organization: str) -> None:
        """It was deleted: nothing of it is good any more. Other processes find out when they look again."""
        self.identity.forget_organization(organization)
        self.directories.pop(organization, None)
        self._data_keys.pop(organization, None)

    def denied(self, actor: Actor, request_id: str, action: str, code: str, subject_id: str | None) -> None:
        """Records that something was asked for and not allowed; nobody waits for it. When more than
        10,000 wait to be written, further ones are counted in the log instead."""
        row = (actor.organization_id, ids.new(), actor.user_id, action, subject_id, code, request_id)
        try:
            self._denials.put_nowait(row)
        except asyncio.QueueFull:
            _log.warning("denial_not_recorded", request_id=request_id)

    async def _keep_denials(self) -> None:
        """Those of one organization that wait together are written together."""
        while True:
            rows = [await self._denials.get()]
            while not self._denials.empty():
                rows.append(self._denials.get_nowait())
            for organization in dict.fromkeys(row[0] for row in rows):
                await self._keep_together([row for row in rows if row[0] == organization])

    async def _keep_together(self, rows: list[tuple[Any, ...]]) -> None:
        try:
            async with self.database.writing(rows[0][0]) as connection:
                await connection.executemany(statement("denial_insert"), rows)
        except Exception as error:  # noqa: BLE001 the request was answered long ago; say so and go on
            _log.error("denial_not_recorded", kind=type(error).__name__, count=len(rows))
