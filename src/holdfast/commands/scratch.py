"""Scratch organizations: made by the operator to prove an installation on, deleted with every row afterwards. No other
organization can be deleted; that is decided in the database (`sql/functions/delete_scratch.sql`), not here.
"""

import hashlib
import hmac

import asyncpg
import msgspec
import structlog

from holdfast.commands.house import House
from holdfast.commands.organizations import Created, NewOrganization, create_organization
from holdfast.commands.setup import with_hash
from holdfast.db.database import CONNECTION_LOST, transaction
from holdfast.db.statements import statement
from holdfast.errors import NotFound, OutcomeUnknown, Overloaded

_log = structlog.get_logger("holdfast.operator")


def is_operator(house: House, token: str) -> bool:
    """Whether this is the operator's token. Without one in the settings nobody is the operator."""
    right = house.settings.operator_token
    return bool(right) and hmac.compare_digest(_digest(token), _digest(right))


def _digest(token: str) -> bytes:
    """Equally long whatever was given, so that comparing takes equally long."""
    return hashlib.sha256(token.encode()).digest()


async def make(house: House, new: NewOrganization, deadline: float, request_id: str) -> Created:
    """A scratch organization whose admin needs no second factor: programs sign in to it. `deadline` is in the event
    loop's clock. Raises Invalid; Refused (already_exists) for a taken e-mail; Overloaded."""
    scratch = msgspec.structs.replace(new, is_scratch=True, settings={"require_totp_for_admins": False})
    made = await create_organization(house.database, house.vault, await with_hash(house, scratch, deadline))
    _log.info("scratch_organization_made", organization_id=made.organization_id, request_id=request_id)
    return made


async def delete(house: House, organization: str, request_id: str) -> None:
    """Deletes a scratch organization and everything in it, in one transaction that waits for its turn. It takes as long
    as there are rows, up to `scratch_delete_seconds_max`. Raises NotFound for an organization that is not there or is
    no scratch one; Overloaded when its turn is not to be had; OutcomeUnknown when the connection was lost on the way."""
    try:
        await _delete(house, organization)
    except asyncpg.LockNotAvailableError:
        raise Overloaded("turn") from None
    except CONNECTION_LOST as error:
        raise OutcomeUnknown(organization) from error
    house.forget_organization(organization)
    _log.info("scratch_organization_deleted", organization_id=organization, request_id=request_id)


async def _delete(house: House, organization: str) -> None:
    async with (
        house.database.any(house.settings.scratch_delete_seconds_max) as connection,
        transaction(connection, "begin_sweeping", organization),
    ):
        await connection.fetchrow(statement("take_turn"), organization)
        if not await connection.fetchval(statement("scratch_delete"), organization):
            raise NotFound("id")
