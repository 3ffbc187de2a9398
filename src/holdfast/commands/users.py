"""Create and change users. The e-mail address is claimed for the organization before the turn, because it is unique
over all of them; everything else is one change in the turn. Nobody changes their own role.
"""

from types import MappingProxyType
from typing import Any

import asyncpg
import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands import passwords
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.commands.login_directory import claim, release, taken
from holdfast.commands.login_directory import email as spelled
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, OutcomeUnknown, Overloaded, Refused
from holdfast.slot import rfc3339

_NAMED_BY_ROLE = MappingProxyType(
    {
        "practitioner": ("practitioner_id",),
        "patient": ("patient_id", "contact_id"),
    }
)
"""Whom a login is: of a patient themselves, of a guardian, or of somebody who is both."""

_STAYS_YOURS = "Another admin must change this: nobody sets their own role or deactivates themselves."


class User(msgspec.Struct, kw_only=True):
    """A user as the API shows them. The password's hash never leaves the database's rows."""

    id: str
    email: str
    name: str
    role: str
    practitioner_id: str | None
    patient_id: str | None
    contact_id: str | None
    is_active: bool
    totp_enrolled: bool
    version: int
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, row: asyncpg.Record) -> "User":
        practitioner, patient, contact = row["practitioner_id"], row["patient_id"], row["contact_id"]
        return cls(
            id=str(row["id"]), email=row["email"], name=row["name"], role=row["role"],
            practitioner_id=str(practitioner) if practitioner else None, patient_id=str(patient) if patient else None,
            contact_id=str(contact) if contact else None,
            is_active=row["is_active"], totp_enrolled=row["totp_enrolled"], version=row["version"],
            created_at=rfc3339(row["created"]), updated_at=rfc3339(row["updated"]),
        )  # fmt: skip


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    email: str
    password: str
    role: str
    name: str = ""
    practitioner_id: str | None = None
    patient_id: str | None = None
    contact_id: str | None = None


async def create_user(house: House, asked: Asked, new: NewUser) -> Answered:
    """Raises Invalid; Refused (already_exists); NotFound for a practitioner or patient that is not there."""
    organization = asked.actor.organization_id
    address = spelled(new.email)
    passwords.check(new.password)
    _check_named(new)
    password_hash = await house.identity.passwords.hash(new.password, asked.deadline)
    is_ours = await claim(house.database, address, organization)

    async def work(turn: Turn) -> Answered:
        holder = await turn.connection.fetchval(statement("login_find"), address)
        if str(holder) != organization:  # another creation that shared our claim has just given it back
            raise Overloaded("address")
        return await _insert(turn, asked, new, address, password_hash)

    try:
        return await change(house, asked, work)
    except (OutcomeUnknown, TimeoutError):
        raise  # the user may be there; an unused claim is this organization's and is taken up by the next try
    except Exception:
        if is_ours:
            await release(house.database, address, organization)
        raise


async def _insert(turn: Turn, asked: Asked, new: NewUser, address: str, password_hash: str) -> Answered:
    user = ids.new()
    try:
        await turn.connection.execute(
            statement("user_insert"), turn.organization, user, address, new.name, password_hash, new.role,
            new.practitioner_id, new.patient_id, new.contact_id,
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise taken() from None
    turn.tell("user.created", {"id": user, "role": new.role, "is_active": True})
    turn.note(asked, "user.created", "user", user, role=new.role)
    return _answered(201, await _find(turn.connection, turn.organization, user))


async def change_user(house: House, asked: Asked, user: str, changes: dict[str, Any]) -> Answered:
    """Changes the fields that are named. A new role or password, or deactivation, ends the user's sessions.

    Raises NotFound; Invalid; Refused (forbidden for one's own role, version_mismatch).
    """
    changes = dict(changes)
    password = changes.pop("password", None)
    password_hash = None
    if password is not None:
        passwords.check(password)
        password_hash = await house.identity.passwords.hash(password, asked.deadline)

    async def work(turn: Turn) -> Answered:
        before = await _find(turn.connection, turn.organization, user)
        if asked.if_match is not None and asked.if_match != before.version:
            raise Refused(
                "version_mismatch", f"The user is at version {before.version}.", version=before.version
            )
        after = msgspec.structs.replace(before, **changes)
        _forget_the_other(changes, after)
        if user == asked.actor.user_id and (after.role != before.role or not after.is_active):
            raise Refused("forbidden", _STAYS_YOURS)
        _check_named(after)
        if after == before and password_hash is None:
            return _answered(200, before)
        return await _update(turn, asked, before, after, password_hash)

    answered = await change(house, asked, work)
    house.identity.forget_user(user)
    return answered


def _forget_the_other(changes: dict[str, Any], after: User) -> None:
    """A new role drops the person that only the old role names, unless one is given along."""
    if "role" not in changes:
        return
    for role, names in _NAMED_BY_ROLE.items():
        for name in names:
            if after.role != role and name not in changes:
                setattr(after, name, None)


async def _update(turn: Turn, asked: Asked, before: User, after: User, password_hash: str | None) -> Answered:
    # What a token was issued for: a change of any of it ends the sessions.
    was, now = (_entitlement(one) for one in (before, after))
    because = "password" if password_hash else "admin"
    ends_sessions = was != now or password_hash is not None
    await turn.connection.execute(
        statement("user_update"), turn.organization, after.id, after.name, after.role, after.practitioner_id,
        after.patient_id, after.contact_id, after.is_active, password_hash, int(ends_sessions),
    )  # fmt: skip
    if ends_sessions:
        await turn.connection.execute(
            statement("sign_in_session_revoke_all"), turn.organization, after.id, because
        )
    turn.tell("user.changed", {"id": after.id, "role": after.role, "is_active": after.is_active})
    changed = [name for name in ("name", "role", "practitioner_id", "patient_id", "contact_id", "is_active")
               if getattr(before, name) != getattr(after, name)]  # fmt: skip
    detail = {"role": after.role, "is_active": after.is_active, "changed": changed}
    if password_hash:
        changed.append("password")
    turn.note(asked, "user.changed", "user", after.id, **detail)
    return _answered(200, await _find(turn.connection, turn.organization, after.id))


def _entitlement(user: User) -> tuple[object, ...]:
    return user.role, user.practitioner_id, user.patient_id, user.contact_id, user.is_active


def _check_named(user: User | NewUser) -> None:
    """A practitioner's login names its practitioner, a patient's the patient or the guardian, and no other names any."""
    for wanted_by, names in _NAMED_BY_ROLE.items():
        given = [name for name in names if getattr(user, name) is not None]
        if user.role == wanted_by and not given:
            raise Invalid(FieldError(names[0], "missing", f"is required for the role {user.role}"))
        if user.role != wanted_by and given:
            raise Invalid(FieldError(given[0], "invalid_value", f"is only for the role {wanted_by}"))


async def _find(connection: Connection, organization: str, user: str) -> User:
    row = await connection.fetchrow(statement("user_find"), organization, user)
    if row is None:
        raise NotFound("id")
    return User.of(row)


async def read_user(house: House, organization: str, user: str) -> tuple[User, int]:
    """The user and the sequence this is true at. Raises NotFound."""
    async with house.database.reading(organization) as connection:
        seq = await connection.fetchval(statement("turn_seq"), organization)
        return await _find(connection, organization, user), seq


def _answered(status: int, user: User) -> Answered:
    return Answered(status=status, content=msgspec.json.encode(user), version=user.version)
