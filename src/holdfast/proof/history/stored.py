"""What is stored of an organization, as far as a history can be compared with it. Only reads."""

from collections import defaultdict

import msgspec

from holdfast.db.database import Connection
from holdfast.proof import invariants
from holdfast.proof.history.log import Counters, Visit
from holdfast.proof.replay import rows


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of an authorization's ledger; `entry_no` is the version that it made. `appointment_id`: the visit whose units
    they are; none of what was done by hand."""

    authorization_id: str
    entry_no: int
    kind: str
    units: int
    is_manual: bool
    appointment_id: str | None
    seq: int


class Stored(msgspec.Struct, kw_only=True):
    """One snapshot. `entries` in the order in which they were told. `seats`: of resources that have more than one."""

    visits: dict[str, Visit] = {}
    authorizations: dict[str, Counters] = {}
    entries: list[Entry] = []
    seats: dict[str, int] = {}

    def ledgers(self) -> dict[str, list[Entry]]:
        """Each authorization's entries by their number."""
        found = defaultdict(list)
        for each in sorted(self.entries, key=lambda entry: entry.entry_no):
            found[each.authorization_id].append(each)
        return dict(found)


async def read(connection: Connection, organization: str) -> Stored:
    """The organization's snapshot, over a connection of the tables' owner or of the server's plain role."""
    stored = Stored()
    visit, counters = msgspec.json.Decoder(Visit), msgspec.json.Decoder(Counters)
    async with invariants.reading(connection, organization):
        async for row in rows(connection, "replay/appointments", organization):
            stored.visits[row["id"]] = visit.decode(row["document"])
        async for row in rows(connection, "replay/authorizations", organization):
            stored.authorizations[row["id"]] = counters.decode(row["document"])
        async for row in rows(connection, "history/entries", organization):
            stored.entries.append(Entry(**row))
        async for row in rows(connection, "history/seats", organization):
            stored.seats[row["resource_id"]] = row["seats"]
    return stored
