"""S1 to S3: units reserved, released and consumed by hand, on one authorization and on many. Makes the requests and knows
what must be stored once all of them were granted.
"""

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from holdfast.proof import driver
from holdfast.proof.bench.data import Requests, Size
from holdfast.proof.statements import statement

ORGANIZATIONS = tuple(
    Size(name=f"units {number}", clinics=1, patients_each=20, weeks=0, minutes=15, authorizations=count)
    for number, count in ((1, 19), (2, 18), (3, 18))
)
"""The 55 authorizations of the load test in the seeds; as many clients as there ask in S2 and S3."""
SPREAD_CLIENTS, MIXED_CLIENTS = 200, 100
_STOCK = 200_000
"""Units that each authorization has reserved by hand before anything is released or consumed."""
_SHARES: Mapping[str, int] = {"reserve": 70, "release": 20, "consume": 10}
_UNITS: Mapping[str, int] = {"reserve": 5, "release": 5, "consume": 3}
_HOT_SHARE = 0.2


class UnitRequests:
    """Requests to the organizations of `ORGANIZATIONS`; each with a key of its own, as a careful client sends it."""

    def __init__(self, of: list[Requests], seed: int) -> None:
        self._all = [(one, each) for one in of for each in one.organization.authorizations]
        self._chance = random.Random(f"{seed} units")  # noqa: S311 - the same requests for the same seed
        self._made = 0
        self.expected = {one.organization_id: Counter[str]() for one in of}
        """What must be stored: units `reserved` by hand and `used`, and `entries`."""

    def stock(self) -> list[bytes]:
        return [self._request(one, each, "reserve", _STOCK) for one, each in self._all]

    def hot(self, count: int) -> list[bytes]:
        """One unit of one authorization each."""
        return [self._request(*self._all[0], "reserve", 1) for _ in range(count)]

    def spread(self, count: int) -> list[bytes]:
        """Five units of any authorization each."""
        return [self._request(*self._chance.choice(self._all), "reserve", 5) for _ in range(count)]

    def mixed(self, count: int) -> list[bytes]:
        """A day's work: mostly reserved, some released, some consumed; a fifth of it on one authorization."""
        made = []
        for kind in self._chance.choices(list(_SHARES), list(_SHARES.values()), k=count):
            is_hot = self._chance.random() < _HOT_SHARE
            whose = self._all[0] if is_hot else self._chance.choice(self._all)
            made.append(self._request(*whose, kind, _UNITS[kind]))
        return made

    def _request(self, of: Requests, authorization: str, kind: str, units: int) -> bytes:
        self._made += 1
        expected = self.expected[of.organization_id]
        expected["entries"] += 1
        expected["reserved"] += units if kind == "reserve" else -units
        expected["used"] += units if kind == "consume" else 0
        headers = of.headers | {"idempotency-key": f"bench-units-{self._made}"}
        body = msgspec.json.encode({"units": units})
        return driver.request("POST", f"/api/v1/authorizations/{authorization}/{kind}", headers, body)


async def unlike_units(connection: Any, requests: UnitRequests) -> list[str]:
    """Where what is stored is other than what was granted."""
    found = []
    for organization, expected in requests.expected.items():
        row = dict(await connection.fetchrow(statement("stored_units"), organization))
        wanted = {name: expected[name] for name in row}
        if row != wanted:
            found.append(f"units are stored as {row}, and {wanted} were granted")
    return found
