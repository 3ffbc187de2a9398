"""Replay: an organization's events, folded in order, must give what its tables hold. Events are read page by page in
short transactions; only the last pages share a snapshot with the tables, so a busy server goes on meanwhile.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from holdfast.db.database import Connection
from holdfast.proof.statements import statement

_PAGE_EVENTS = 2_000
Document = dict[str, Any]
Reading = Callable[[], AbstractAsyncContextManager[Connection]]
"""Opens one short read-only transaction of the organization."""

_COUNTERS = (
    "id", "patient_id", "total_units", "used_units", "scheduled_units", "manual_units", "version",
)  # fmt: skip


class Fold:
    """The state that a sequence of events describes, and where the sequence itself makes no sense."""

    def __init__(self) -> None:
        self.seq = 0
        self.appointments: dict[str, Document] = {}
        self.authorizations: dict[str, Document] = {}
        self.blocks: dict[str, Document] = {}
        self.groups: dict[str, Document] = {}
        self.holds: dict[str, Document] = {}
        self.series: dict[str, Document] = {}
        self.sessions: dict[str, Document] = {}
        self.faults: list[Document] = []

    def take(self, seq: int, kind: str, body: Document) -> None:
        """The next event. One kind of thing is told whole in each of its events, a version later each time."""
        if seq != self.seq + 1:
            self.faults.append({"what": "a gap", "seq": seq, "after": self.seq})
        self.seq = seq
        noun, _, verb = kind.partition(".")
        if noun == "appointment":
            self._step(self.appointments, body, seq, is_first=verb == "booked")
        elif noun == "authorization":
            counters = {name: body.get(name) for name in _COUNTERS}
            self._step(self.authorizations, counters, seq, is_first=verb == "created")
        elif noun == "series":
            self._step(self.series, body, seq, is_first=verb == "booked")
        elif noun == "group":
            self._step(self.groups, body, seq, is_first=verb == "created")
        elif noun == "block":
            self._step(self.blocks, body, seq, is_first=verb == "created")
            if verb == "deleted":
                del self.blocks[body["id"]]
        elif noun == "session":
            self._step(self.sessions, body, seq, is_first=verb == "created")
        elif noun == "hold":
            if (verb == "placed") == (body["id"] in self.holds):
                self.faults.append({"what": "out of order", "seq": seq, "id": body["id"]})
            self.holds[body["id"]] = body
            if verb != "placed":
                del self.holds[body["id"]]

    def _step(self, state: dict[str, Document], body: Document, seq: int, *, is_first: bool) -> None:
        before = state.get(body["id"])
        expected = 1 if before is None else before["version"] + 1
        if is_first != (before is None) or body["version"] != expected:
            self.faults.append(
                {"what": "out of order", "seq": seq, "id": body["id"], "version": body["version"]}
            )
        state[body["id"]] = body

    def told(self) -> tuple[tuple[str, dict[str, Document]], ...]:
        """Each kind of thing by the name of its statement, and what the events say there is."""
        return (
            ("appointments", self.appointments),
            ("authorizations", self.authorizations),
            ("blocks", self.blocks),
            ("groups", self.groups),
            ("holds", self.holds),
            ("series", self.series),
            ("sessions", self.sessions),
        )

    async def take_all(self, connection: Connection, organization: str) -> int:
        """The next page of events; how many there were."""
        rows = await connection.fetch(statement("replay/events_page"), organization, self.seq, _PAGE_EVENTS)
        for row in rows:
            self.take(row["seq"], row["kind"], msgspec.json.decode(row["body"]))
        return len(rows)


async def differences(organization: str, reading: Reading) -> list[Document]:
    """What the folded events and the tables disagree about; nothing when all is well."""
    fold = Fold()
    more = True
    while more:
        async with reading() as connection:
            more = await fold.take_all(connection, organization) == _PAGE_EVENTS
    async with reading() as connection:
        while await fold.take_all(connection, organization):
            pass
        found = list(fold.faults)
        for name, told in fold.told():
            stored = {
                row["id"]: row["document"] async for row in rows(connection, f"replay/{name}", organization)
            }
            found += _compared(name, told, stored)
    return found


async def rows(connection: Connection, name: str, organization: str) -> AsyncIterator[Any]:
    """The rows of a statement of `proof/sql/` about an organization, page by page, inside a transaction."""
    async for row in connection.cursor(statement(name), organization, prefetch=_PAGE_EVENTS):
        yield row


def _compared(name: str, told: dict[str, Document], stored: dict[str, str]) -> list[Document]:
    """Fields that differ, by id; no more of a row than that."""
    found: list[Document] = [
        {"what": f"{name}: told, not stored", "id": each} for each in told.keys() - stored
    ]
    for each, document in stored.items():
        if each not in told:
            found.append({"what": f"{name}: stored, never told", "id": each})
            continue
        row = msgspec.json.decode(document)
        differing = sorted(key for key in row.keys() | told[each] if row.get(key) != told[each].get(key))
        if differing:
            found.append({"what": f"{name}: differ", "id": each, "fields": differing})
    return found
