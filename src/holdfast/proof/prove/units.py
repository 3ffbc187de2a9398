"""The units that a scenario asks for by hand, as the load tests of the seeds do. Pure: the same authorizations, token and seed
give the same bytes.
"""

import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from holdfast.proof import driver
from holdfast.proof.history.log import Kind, Wish
from holdfast.proof.prove.bookings import Asked
from holdfast.proof.prove.organization import Organization

SMALL, USUAL, LARGE = 50, 200, 1000
SEED_AUTHORIZATIONS: Final = (10, 20, 25)
"""So many of each of these sizes: the 55 of the load test in the seeds, of which the first stand out."""
SHARES: Final[Mapping[Kind, int]] = MappingProxyType({"reserve": 70, "release": 20, "consume": 10})
UNITS: Final[Mapping[Kind, int]] = MappingProxyType({"reserve": 5, "release": 5, "consume": 3})
HOT_SHARE: Final = 0.2
_HOT_UNITS_EACH: Final = 0.35
"""Units of the busy authorization for each request to it: it is full after a seventh of them, and not used up before the end."""


class Account(NamedTuple):
    """An authorization with what a request to it must say."""

    headers: dict[str, str]
    id: str


class Units:
    """Plans over the authorizations of one or several organizations. `name` begins their keys."""

    def __init__(self, accounts: Sequence[Account], seed: int, name: str) -> None:
        self._accounts, self._name = list(accounts), name
        self._chance = random.Random(f"{seed} {name} units")  # noqa: S311 - the same requests for the same seed
        self._made = 0

    def signed_as(self, accounts: Sequence[Account]) -> None:
        """From now on with these headers; of the same authorizations."""
        self._accounts = list(accounts)

    def one(self, count: int, units: int, number: int = 0) -> Asked:
        """So many requests for so many units of one authorization each."""
        return self._asked([("reserve", self._accounts[number], units)] * count)

    def spread(self, count: int, units: int) -> Asked:
        """Of all authorizations in turn, so that none is asked for more than its share."""
        return self._asked(
            [
                ("reserve", self._accounts[self._chance.randrange(len(self._accounts))], units)
                for _ in range(count)
            ]
        )

    def mixed(self, count: int) -> Asked:
        """A clinic's day: mostly reserved, some released, some consumed; a fifth of it on the first authorization."""
        wanted = []
        for kind in self._chance.choices(list(SHARES), list(SHARES.values()), k=count):
            is_hot = self._chance.random() < HOT_SHARE
            account = self._accounts[0] if is_hot else self._chance.choice(self._accounts[1:])
            wanted.append((kind, account, UNITS[kind]))
        return self._asked(wanted)

    def _asked(self, wanted: Sequence[tuple[Kind, Account, int]]) -> Asked:
        asked = Asked()
        for kind, account, units in wanted:
            key = f"{self._name}-{self._made}"
            self._made += 1
            asked.wishes.append(Wish(kind=kind, key=key, subject=account.id, units=units))
            asked.requests.append(
                driver.request(
                    "POST",
                    f"/api/v1/authorizations/{account.id}/{kind}",
                    account.headers | {"idempotency-key": key},
                    b'{"units":%d}' % units,
                )
            )
        return asked


def accounts(organization: Organization, token: str) -> list[Account]:
    headers = {"host": organization.address.host_header, "authorization": f"Bearer {token}"}
    return [Account(headers, each) for each in organization.authorizations]


def for_mixed(count: int, authorizations: int = sum(SEED_AUTHORIZATIONS)) -> tuple[int, ...]:
    """The units of each authorization for so many mixed requests: the first runs full, of the others each tenth does, and the
    rest have enough. So some are refused, and not most."""
    hot = max(SMALL, round(_HOT_UNITS_EACH * HOT_SHARE * count))
    each = (1 - HOT_SHARE) * count / (authorizations - 1)
    enough = max(LARGE, round(10 * each))
    scarce = max(10, round(each))
    return (hot, *(scarce if n % 10 == 0 else enough for n in range(1, authorizations)))


def for_seed() -> tuple[int, ...]:
    """The units of the 55 authorizations of the seeds."""
    sizes = zip(SEED_AUTHORIZATIONS, (SMALL, USUAL, LARGE), strict=True)
    return tuple(units for count, units in sizes for _ in range(count))


def for_spread(count: int, units: int, authorizations: int = sum(SEED_AUTHORIZATIONS)) -> tuple[int, ...]:
    """Enough for each, were it asked for twice its share."""
    return (max(LARGE, 2 * units * count // authorizations),) * authorizations
