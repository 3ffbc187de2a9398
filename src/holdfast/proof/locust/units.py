"""Load on authorizations: one that everybody wants, many that nobody contends for, and a day's mixture.

    holdfast load set-up --url http://localhost:8000 --token $HOLDFAST_OPERATOR_TOKEN
    locust -f units.py --host=http://localhost:8000 --headless --users=50 --spawn-rate=50 --run-time=60s --tags=contention
    locust -f units.py --host=http://localhost:8000 --headless --users=200 --spawn-rate=4 --run-time=300s --tags=throughput
    locust -f units.py --host=http://localhost:8000 --headless --users=100 --spawn-rate=10 --run-time=600s --tags=mixed

Every user asks once a second. A refusal for want of units is an answer as it should be, told apart from what was granted.
"""

import itertools
import random
from typing import Any, ClassVar, NamedTuple

from locust import constant_throughput, tag, task
from locust.env import Environment

from holdfast.proof.locust.calling import Caller, Party, is_worker, listen, say
from holdfast.proof.locust.fixture import HOT_UNITS, PLENTY_UNITS, USUAL_UNITS, authorizations
from holdfast.proof.locust.told import Target, granted, report
from holdfast.proof.prove.organization import Organization

CONTEND, RESERVE = "reserve of one", "reserve of many"
_TAKE, _GIVE, _USE = MIXED = ("mixed reserve", "mixed release", "mixed consume")
_DAY = (_TAKE, _TAKE, _TAKE, _GIVE, _TAKE, _TAKE, _USE, _TAKE, _GIVE, _TAKE)
"""What ten requests of a day's mixture are, over and over."""
_CONTENDED_UNITS, _UNITS, _CONSUMED_UNITS = 10, 5, 3
_SHARE_OF_ONE = 0.2
_REFUSALS = frozenset({"insufficient_units", "units_not_reserved"})
_TARGETS = (
    Target("One authorization", (CONTEND, f"{CONTEND}: refused"), ((95, 200), (99, 500))),
    Target("Many authorizations", (RESERVE,), ((95, 150), (99, 300))),
    Target("Mixed operations", (*MIXED, *(f"{name}: refused" for name in MIXED)), ((95, 175),)),
)


class Account(NamedTuple):
    of: Organization
    authorization: str

    @property
    def path(self) -> str:
        return f"/authorizations/{self.authorization}"


class Desk(Caller):
    """Somebody who reserves, gives back and consumes units. `one`: the authorization that everybody contends for."""

    wait_time = constant_throughput(1)
    chance: ClassVar = random.Random(1)  # noqa: S311 - the same load at every run
    day: ClassVar = itertools.cycle(_DAY)
    one: ClassVar[Account]
    many: ClassVar[list[Account]]
    usual: ClassVar[Account]

    @tag("contention")
    @task
    def contend(self) -> None:
        self._move(self.one, CONTEND, "reserve", _CONTENDED_UNITS)

    @tag("throughput")
    @task
    def reserve(self) -> None:
        self._move(self.chance.choice(self.many), RESERVE, "reserve", _UNITS, refusals=frozenset())

    @tag("mixed")
    @task
    def work(self) -> None:
        """Of ten requests seven reserve, two give back and one consumes; every fifth is about the same authorization."""
        account = self.usual if self.chance.random() < _SHARE_OF_ONE else self.chance.choice(self.many)
        name = next(self.day)
        call = name.removeprefix("mixed ")
        self._move(account, name, call, _CONSUMED_UNITS if call == "consume" else _UNITS)

    def _move(
        self, account: Account, name: str, call: str, units: int, refusals: frozenset[str] = _REFUSALS
    ) -> None:
        self.ask(account.of, name, "POST", f"{account.path}/{call}", {"units": units}, refusals=refusals)


def accounts(party: Party, units: int) -> list[Account]:
    return [Account(of, each) for of in party.fixture.accounts for each in authorizations(of, units)]


def available(party: Party, account: Account) -> int:
    with party.client(account.of) as client:
        return int(client.got(f"{account.path}/available-units")["available"])


def meet(environment: Environment, **_more: Any) -> None:
    Desk.party = Party(environment)


def begin(environment: Environment, **_more: Any) -> None:
    """Whom to contend for: the first of those with fifty units that no run has touched. When all have been used, the last."""
    party = Desk.party
    hot = accounts(party, HOT_UNITS)
    Desk.one = next((each for each in hot if available(party, each) == HOT_UNITS), hot[-1])
    Desk.many = accounts(party, PLENTY_UNITS)
    Desk.usual = accounts(party, USUAL_UNITS)[0]


def tell(environment: Environment, **_more: Any) -> None:
    if is_worker(environment):
        return
    more = []
    if contended := granted(environment.stats, (CONTEND,)):
        left = available(Desk.party, Desk.one)
        more.append(
            f"Granted of {HOT_UNITS} units, {_CONTENDED_UNITS} at a time: {contended}; {left} are left."
        )
    say(environment, report("AUTHORIZATION UNITS REPORT", environment.stats, _TARGETS, more))


listen(meet, begin, tell)
