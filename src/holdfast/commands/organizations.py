"""Create an organization with its first admin. Used by the command line, the seed, tests, the first set-up and the
operator.

Works as the plain service role as well as the tables' owner: everything happens under the new tenant.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

import msgspec

from holdfast import ids, slot
from holdfast.actor import Actor, Asked
from holdfast.commands import passwords
from holdfast.commands.login_directory import claim, release
from holdfast.commands.login_directory import email as login_email
from holdfast.db.database import Connection, Database, begin
from holdfast.db.keeping import Keeping
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, Refused
from holdfast.vault import Vault

_SECONDS_MAX = 10.0
_BEGINS_WITH: Final[Mapping[str, object]] = {"require_totp_for_admins": True}


class NewOrganization(msgspec.Struct, frozen=True, kw_only=True):
    """What an organization begins with. `admin_password_hash`, when given, is stored in place of a hash of
    `admin_password`, which is then not looked at."""

    name: str
    time_zone: str
    admin_email: str
    admin_password: str = ""
    admin_password_hash: str = ""
    admin_name: str = ""
    patient_label: str = "patient"
    settings: dict[str, object] = {}
    """What differs from what a new organization begins with: its admins need a second factor."""
    organization_id: str = ""
    is_scratch: bool = False
    """Made to be deleted again with all of its rows (`commands/scratch.py`)."""


class Created(msgspec.Struct, frozen=True):
    organization_id: str
    user_id: str


async def create_organization(
    database: Database, vault: Vault, new: NewOrganization, *, must_be_first: bool = False
) -> Created:
    """The organization, its turn and its admin. Raises Invalid; Refused (already_exists) for a taken e-mail,
    (already_set_up) if it must be the first and is not."""
    email = _checked(new)
    password_hash = new.admin_password_hash
    if not password_hash:
        passwords.check(new.admin_password, "admin_password")
        password_hash = await asyncio.to_thread(passwords.hashed, new.admin_password)
    organization = new.organization_id or ids.new()
    user = ids.new()
    is_ours = not must_be_first and await claim(database, email, organization)
    try:
        await _insert(database, vault, new, Created(organization, user), email, password_hash, must_be_first)
    except BaseException:
        if is_ours:
            await release(database, email, organization)
        raise
    return Created(organization, user)


def _checked(new: NewOrganization) -> str:
    """The admin's e-mail address in its one spelling."""
    errors, email = [], ""
    if not 1 <= len(new.name.strip()) <= 200:
        errors.append(FieldError("name", "invalid_value", "must have 1 to 200 characters"))
    try:
        slot.zone(new.time_zone)
    except ValueError as error:
        errors.append(FieldError("time_zone", "invalid_value", str(error)))
    if new.patient_label not in ("patient", "client", "learner"):
        errors.append(FieldError("patient_label", "invalid_value", "must be patient, client or learner"))
    try:
        email = login_email(new.admin_email, "admin_email")
    except Invalid as error:
        errors.extend(error.errors)
    if errors:
        raise Invalid(*errors)
    return email


async def _insert(
    database: Database, vault: Vault, new: NewOrganization, made: Created, email: str, password_hash: str,
    must_be_first: bool,
) -> None:  # fmt: skip
    organization = made.organization_id
    actor = Actor(
        organization_id=organization, user_id=made.user_id, session_id="", email=email, role="admin"
    )
    asked = Asked(actor=actor, request_id="", deadline=time.monotonic() + _SECONDS_MAX)
    data_key = vault.new_data_key(organization)
    async with database.any() as connection:
        try:
            await connection.execute(begin("begin_writing", organization))
            if must_be_first:
                await _claim_as_first(connection, email, organization)
            await connection.execute(
                statement("organization_insert"), organization, new.name.strip(), new.time_zone,
                new.patient_label, msgspec.json.encode({**_BEGINS_WITH, **new.settings}).decode(), data_key, new.is_scratch,
            )  # fmt: skip
            now = await connection.fetchval(statement("turn_insert"), organization)
            await connection.execute(
                statement("user_insert"), organization, made.user_id, email, new.admin_name, password_hash,
                "admin", None, None, None,
            )  # fmt: skip
            keeping = Keeping(organization, 0, now, vault.organization(organization, data_key))
            keeping.directory_changed = True
            keeping.tell("user.created", {"id": made.user_id, "role": "admin", "is_active": True})
            keeping.note(asked, "organization.created", "organization", organization)
            keeping.note(asked, "user.created", "user", made.user_id, role="admin")
            await keeping.commit(connection)
        except BaseException:
            if not connection.is_closed():
                await connection.execute(statement("rollback"))
            raise


async def _claim_as_first(connection: Connection, email: str, organization: str) -> None:
    """Claims the address if nobody has claimed any. In the organization's own transaction, unlike every other claim:
    whoever asks at the same time waits for its end, and a set-up that breaks off leaves the installation empty."""
    await connection.execute(statement("login_lock"))
    if not await connection.fetchval(statement("login_none")):
        raise set_up_already()
    await connection.execute(statement("login_claim"), email, organization)


def set_up_already() -> Refused:
    return Refused(
        "already_set_up",
        "This installation has an organization; more are made by `holdfast organization create`.",
    )
