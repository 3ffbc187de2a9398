"""Change the organization: its name, its zone, what it calls patients, and its own settings."""

from typing import Any

import asyncpg
import msgspec

from holdfast.actor import Answered, Asked
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import NotFound, Refused
from holdfast.slot import rfc3339


class OrganizationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organization decides for itself. Only settings that something acts on are here."""

    late_cancellation_minutes: int = 24 * 60
    cancellation_reason_codes: list[str] = []
    expiry_alert_days: int = 60
    make_up_days: int = 60
    require_totp_for_admins: bool = False

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "OrganizationSettings":
        """What is stored may be older or newer than this version: only what it knows is taken."""
        known = {name: value for name, value in stored.items() if name in cls.__struct_fields__}
        return msgspec.convert(known, cls)


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """The organization as the API shows it."""

    id: str
    name: str
    time_zone: str
    patient_label: str
    settings: OrganizationSettings
    version: int
    created_at: str


async def change_organization(house: House, asked: Asked, changes: dict[str, Any]) -> Answered:
    """Changes what is named; of `settings`, the members that are named. Raises Refused (version_mismatch)."""

    async def work(turn: Turn) -> Answered:
        before = await _find(turn.connection, turn.organization)
        if asked.if_match is not None and asked.if_match != before.version:
            raise Refused(
                "version_mismatch",
                f"The organization is at version {before.version}.",
                version=before.version,
            )
        given = dict(changes)
        if "settings" in given:
            given["settings"] = msgspec.structs.replace(before.settings, **given["settings"])
        after = msgspec.structs.replace(before, **given)
        return _answered(before) if after == before else await _update(turn, asked, before, after)

    answered = await change(house, asked, work)
    # Whether an admin needs a second factor is known with who they are.
    house.identity.forget_organization(asked.actor.organization_id)
    return answered


async def _update(turn: Turn, asked: Asked, before: Organization, after: Organization) -> Answered:
    await turn.connection.execute(
        statement("organization_update"), turn.organization, after.name, after.time_zone, after.patient_label,
        msgspec.json.encode(after.settings).decode(),
    )  # fmt: skip
    turn.directory_changed = True
    changed = [name for name in ("name", "time_zone", "patient_label", "settings")
               if getattr(before, name) != getattr(after, name)]  # fmt: skip
    turn.tell("organization.changed", {"id": after.id, "version": before.version + 1})
    turn.note(asked, "organization.changed", "organization", after.id, changed=changed)
    return _answered(await _find(turn.connection, turn.organization))


async def read_organization(house: House, organization: str) -> tuple[Organization, int]:
    """The organization and the sequence this is true at."""
    async with house.database.reading(organization) as connection:
        seq = await connection.fetchval(statement("turn_seq"), organization)
        return await _find(connection, organization), seq


async def _find(connection: Connection, organization: str) -> Organization:
    row = await connection.fetchrow(statement("organization_find"), organization)
    if row is None:
        raise NotFound("organization_id")
    return _of(row)


def _of(row: asyncpg.Record) -> Organization:
    return Organization(
        id=str(row["organization_id"]), name=row["name"], time_zone=row["time_zone"],
        patient_label=row["patient_label"], version=row["version"], created_at=rfc3339(row["created"]),
        settings=OrganizationSettings.of(msgspec.json.decode(row["settings"])),
    )  # fmt: skip


def _answered(organization: Organization) -> Answered:
    return Answered(status=200, content=msgspec.json.encode(organization), version=organization.version)
