"""Tell, from storage: where organizations stand, and the events after a sequence number. Reads only; knows nothing
of listeners.
"""

from typing import Any

import msgspec

from holdfast.db.database import Database
from holdfast.db.statements import statement
from holdfast.errors import NotFound


class Event(msgspec.Struct):
    """One change as it is told. `body` is JSON without names; the names are those of the moment it was read.

    One object serves every listener: `rendered` keeps what the first of them made of it.
    """

    seq: int
    kind: str
    body: str
    patient: str | None
    practitioner: str | None
    room: str | None
    service: str | None
    rendered: dict[str, Any] = {}

    def practitioner_name(self, practitioner_id: str) -> str:
        return self.practitioner or ""

    def room_number(self, room_id: str | None) -> str | None:
        return self.room

    def service_code(self, service_id: str) -> str:
        return self.service or ""


class Standing(msgspec.Struct, frozen=True):
    """`first` is the oldest event that is kept; one past `seq` when none is."""

    seq: int
    first: int


async def standing(database: Database, organization: str) -> Standing:
    """Raises NotFound when there is no such organization."""
    async with database.reading(organization) as connection:
        row = await connection.fetchrow(statement("standing"), organization)
    if row is None:
        raise NotFound("organization_id")
    return Standing(row["seq"], row["seq"] + 1 if row["first_seq"] is None else row["first_seq"])


async def events_after(database: Database, organization: str, after: int, most: int) -> list[Event]:
    """At most `most` events with seq > `after`, in order."""
    async with database.reading(organization) as connection:
        rows = await connection.fetch(statement("events_after"), organization, after, most)
    return [
        Event(
            seq=row["seq"],
            kind=row["kind"],
            body=row["body"],
            patient=row["patient_name"],
            practitioner=row["practitioner_name"],
            room=row["room_number"],
            service=row["service_code"],
        )
        for row in rows
    ]


async def seq(database: Database, organization: str) -> int:
    """Where the organization stands. Raises NotFound."""
    async with database.reading(organization) as connection:
        found: int | None = await connection.fetchval(statement("turn_seq"), organization)
    if found is None:
        raise NotFound("organization_id")
    return found
