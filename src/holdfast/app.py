"""The one wiring: settings → database → lanes → hub → ASGI. The only module that holds the running pieces."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog

from holdfast import secrets, settings
from holdfast.api import (
    absence_plan,
    appointments,
    audit,
    auth,
    authenticate,
    authorizations,
    availability,
    blocks,
    break_glass,
    calendar,
    clinics,
    conflicts,
    contacts,
    explain,
    groups,
    health,
    holds,
    limits,
    lines,
    openapi,
    organization,
    patients,
    patterns,
    payers,
    policies,
    practitioners,
    room_plans,
    rooms,
    scratch,
    series,
    services,
    sessions,
    setup,
    totp,
    users,
    utilization,
    worklists,
)
from holdfast.api.door import Door, Receive, Route, Scope, Send
from holdfast.api.routing import Router
from holdfast.commands.break_glass import end_those_over
from holdfast.commands.house import House
from holdfast.commands.look_up import ConflictReader
from holdfast.commands.search import SearchReader
from holdfast.commands.transaction import Transaction
from holdfast.db.database import Database
from holdfast.db.lanes import Lanes
from holdfast.live.hub import Hub
from holdfast.settings import Settings
from holdfast.vault import Vault

NOUNS = (
    appointments, series, lines, holds, conflicts, explain, availability, patterns, calendar, blocks, groups, worklists, auth, totp, organization,
    clinics, rooms, room_plans, practitioners, absence_plan, patients, contacts, services, payers, policies, users, authorizations, sessions, utilization, break_glass, audit, setup, scratch,
    health, openapi,
)  # fmt: skip


def routes() -> tuple[Route[Any, Any], ...]:
    """Every route of the product, hot nouns first."""
    return tuple(route for noun in NOUNS for route in noun.ROUTES)


def _served(settings: Settings) -> tuple[Route[Any, Any], ...]:
    """Without an operator token in the settings the operator's calls do not exist."""
    return tuple(route for route in routes() if settings.operator_token or route not in scratch.ROUTES)


class Application:
    """The ASGI application with its lifespan."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._door: Door | None = None
        self.house: House | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and self._door is not None:
            await self._door(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._stack.enter_async_context(self.running())
        except Exception as error:  # noqa: BLE001 the server must say why it does not start
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything open, in order; closed in reverse."""
        database = Database(self._settings)
        vault = Vault(secrets.load(self._settings))
        await database.open()
        house = House(self._settings, database, vault)
        hub = Hub(self._settings, database)
        house.committed = hub.hint
        house.lanes = Lanes(self._settings, partial(Transaction, house))
        house.page_lanes = appointments.pages(house)
        house.conflict_lanes = Lanes(self._settings, partial(ConflictReader, house))
        house.search_lanes = Lanes(self._settings, partial(SearchReader, house))
        house.long_search_lanes = Lanes(self._settings, partial(SearchReader, house))
        house.sweep = partial(end_those_over, house)
        authenticator = authenticate.Authenticator(house)
        await house.start()
        await hub.start()
        house.openapi = openapi.describe(routes())
        # What is there now stays: the collector need not look at it again and again, nor look so often.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        self.house = house
        self._door = Door(
            house, hub, authenticator, limits.Limiter(self._settings), Router(_served(self._settings))
        )
        try:
            yield
        finally:
            await hub.stop()
            await house.stop()
            await database.close()


def create() -> Application:
    """The factory that the server's workers call; settings come from the environment."""
    given = settings.load()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(given.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return Application(given)
