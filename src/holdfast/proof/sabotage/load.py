"""The load under which a sabotaged build shows itself. The same for all, so that one run of the sound build says that it is
none of the load's doing: two servers on one database, wires that are cut around COMMIT, keys that arrive at both servers at
once, rivals for the same time, cancellations, and at the end a stranger who writes past the API.
"""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from holdfast import ids
from holdfast.db.database import Connection, transaction
from holdfast.plain import PlainError
from holdfast.proof import driver, serving
from holdfast.proof.history.log import BY_HAND, Kind, Operation, Wish, merged
from holdfast.proof.prove.organization import Furniture, Organization
from holdfast.proof.statements import statement
from holdfast.proof.wire_proxy import Fate, Proxy

ROUNDS: Final = 12
_RIVALS, _SHARED, _OTHERS = 6, 8, 8
"""Of each round and server: bookings that the other's are in the way of, keys that both servers get, and what else comes."""
_CLIENTS = 6
_SECONDS = 20.0
_FATES: Final[tuple[Fate, ...]] = ("cut after", "cut before", "cut at once")
SEED = 5
FURNITURE: Final = Furniture(
    name="sabotage", rooms=3, practitioners=6, patients=6, minutes=30, authorizations=(120, 120, 120)
)
"""The first patients have an authorization each; their visits ask for its units."""


class LoadSaysNothing(PlainError):
    """What the load is there for did not happen, so whatever was found or not says nothing."""


class Load:
    """One organization's clients. `history` is what they saw."""

    def __init__(
        self, clinic: Organization, token: str, servers: list[serving.Server], proxies: list[Proxy], folder: Path
    ) -> None:  # fmt: skip
        self._clinic, self._token = clinic, token
        self._servers, self._proxies, self._folder = servers, proxies, folder
        self._chance = random.Random(SEED)  # noqa: S311 - the same load for every build
        self._made = 0
        self._files: list[Path] = []

    @property
    def history(self) -> list[Operation]:
        return merged(self._files)

    async def carry_out(self) -> None:
        """All rounds, one after the other. Raises LoadSaysNothing."""
        cut = 0
        for number in range(ROUNDS):
            is_cut = bool(number % 2)
            for at, proxy in enumerate(self._proxies):
                proxy.on_write = _FATES[(number // 2 + at) % len(_FATES)] if is_cut else None
            await self.round(number)
            cut += sum(is_cut and proxy.fell() for proxy in self._proxies)
        outcomes = Counter((each.wish.kind, each.outcome) for each in self.history)
        kinds: tuple[Kind, ...] = ("book", "cancel", "reserve", "release")
        idle = [kind for kind in kinds if not outcomes[kind, "ok"]]
        if idle or cut < ROUNDS // 2:
            raise LoadSaysNothing(
                f"Nobody was granted {idle}, or wires were cut {cut} times only: {outcomes}"
            )

    async def round(self, number: int) -> None:
        """Both servers at the same moment, each with its own clients."""
        visits = [each.visit for each in self.history if each.visit is not None and each.visit.version == 1]
        standing = sorted({visit.id for visit in visits[-4 * _OTHERS :]})
        shared = [self._other(f"shared-{number}-{at}", []) for at in range(_SHARED)]
        plans = []
        for at, server in enumerate(self._servers):
            rivals = [self._rival(number, at, place) for place in range(_RIVALS)]
            others = [self._other("" if n % 2 else f"{at}-{number}-{n}", standing) for n in range(_OTHERS)]
            # Who comes first comes to both servers most nearly at once.
            wishes = [*rivals, *shared, *others] if number % 4 else [*shared, *rivals, *others]
            self._files.append(self._folder / f"history-{number}-{at}")
            plans.append(driver.Plan(
                host=serving.HOST, port=server.port, clients=_CLIENTS, expected_status=200, also_expected=409,
                requests=[self._request(wish, server) for wish in wishes], seconds=_SECONDS, wishes=wishes,
                history_file=str(self._files[-1]),
            ))  # fmt: skip
        await asyncio.gather(*(driver.drive(plan) for plan in plans))

    def _rival(self, number: int, server: int, place: int) -> Wish:
        """Of two servers the rivals want a room at times that overlap and begin apart; nothing else of them is the same."""
        day, room = divmod(place, FURNITURE.rooms)
        person = 2 * room + server
        start = self._clinic.first + timedelta(days=1 + day, hours=number, minutes=15 * server)
        return Wish(
            kind="book", patient_id=self._clinic.patients[person], start=start,
            practitioner_id=self._clinic.practitioners[person], room_id=self._clinic.rooms[room],
        )  # fmt: skip

    def _other(self, key: str, visits: list[str]) -> Wish:
        chance, clinic = self._chance, self._clinic
        self._made += 1
        kinds: list[Kind] = ["book", "book", "reserve", "reserve", "release", "consume"]
        kind = chance.choice([*kinds, "cancel", "cancel"] if visits else kinds)
        if kind == "book":
            return Wish(
                kind=kind, key=key, patient_id=chance.choice(clinic.patients), room_id=chance.choice(clinic.rooms),
                practitioner_id=chance.choice(clinic.practitioners),
                start=clinic.first + timedelta(minutes=15 * chance.randrange(64)),
            )  # fmt: skip
        if kind == "cancel":
            return Wish(kind=kind, key=key, subject=chance.choice(visits))
        return Wish(
            kind=kind, key=key, subject=chance.choice(clinic.authorizations), units=chance.randint(1, 3)
        )

    def _request(self, wish: Wish, server: serving.Server) -> bytes:
        clinic = self._clinic
        headers = {"host": server.host_header, "authorization": f"Bearer {self._token}"}
        if wish.key:
            headers["idempotency-key"] = wish.key

        def asked(path: str, body: dict[str, Any]) -> bytes:
            return driver.request("POST", f"/api/v1{path}", headers, msgspec.json.encode(body))

        if wish.kind in BY_HAND:
            return asked(f"/authorizations/{wish.subject}/{wish.kind}", {"units": wish.units})
        if wish.kind == "cancel":
            return asked(f"/appointments/{wish.subject}/cancel", {})
        units = dict(zip(clinic.patients, clinic.authorizations, strict=False))
        funded = {"authorization_id": units[wish.patient_id]} if wish.patient_id in units else {}
        return asked("/appointments", {
            "clinic_id": clinic.clinic, "patient_id": wish.patient_id, "practitioner_id": wish.practitioner_id,
            "service_id": clinic.service, "room_id": wish.room_id, "start": wish.start,
        } | funded)  # fmt: skip


async def stranger(connection: Connection, organization: str) -> None:
    """A script that knows the server's role and nothing of its rules: it takes time that a visit has, and units that are not
    there, with everything else as it should be. Storage refuses both, if it is sound."""
    for name in ("stranger_takes_time", "stranger_takes_units"):
        try:
            async with transaction(connection, "begin_writing", organization):
                taken = await connection.fetchval(statement(f"sabotage/{name}"), organization, ids.new())
        except asyncpg.IntegrityConstraintViolationError:
            continue
        if taken is None:
            raise LoadSaysNothing(f"There was nothing that a stranger could have taken ({name}).")
