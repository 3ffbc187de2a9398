"""A house without a server: the product's own commands and lanes in this process, for filling a calendar the way
that requests fill it. Its settings allow what a request may not: a past of any length, and patience.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from holdfast import ids, secrets
from holdfast.actor import Actor, Asked
from holdfast.commands.house import House
from holdfast.commands.transaction import Transaction
from holdfast.db.database import Database
from holdfast.db.lanes import Lanes
from holdfast.settings import Settings
from holdfast.vault import Vault

_PATIENCE_SECONDS = 600.0
_BACKDATE_DAYS = 366
_WAITING_MAX = 1_000_000


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[House]:
    """The house on the database of `settings`, connected as the server's own plain role."""
    patient = msgspec.structs.replace(
        settings, backdate_days_max=_BACKDATE_DAYS, request_deadline_seconds=_PATIENCE_SECONDS,
        lane_queue_requests_max=_WAITING_MAX, lane_attempt_seconds_max=_PATIENCE_SECONDS, pool_connections_max=2,
    )  # fmt: skip
    database = Database(patient)
    await database.open()
    house = House(patient, database, Vault(secrets.load(settings)))
    house.lanes = Lanes(patient, partial(Transaction, house))
    try:
        yield house
    finally:
        await house.lanes.close()
        await database.close()


def asked_by(organization: str, admin: str, email: str) -> Asked:
    """A request of an organization's admin: who is written down as having done it."""
    actor = Actor(organization_id=organization, user_id=admin, session_id="", email=email, role="admin")
    return Asked(
        actor=actor,
        request_id=f"seed-{ids.new()}",
        deadline=asyncio.get_running_loop().time() + _PATIENCE_SECONDS,
    )
