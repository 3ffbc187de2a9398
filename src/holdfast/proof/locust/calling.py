"""What the users of every Locust file share: whom they sign in as, how they ask, and which of the answers are as they should be.
Imported by Locust only, which replaces the standard library's sockets by its own.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import msgspec
from locust import FastHttpUser, events
from locust.env import Environment
from locust.runners import WorkerRunner

from holdfast.proof.locust.fixture import Fixture, read
from holdfast.proof.prove.client import Address, Client
from holdfast.proof.prove.organization import Organization

FIXTURE_VARIABLE, FIXTURE_FILE = "HOLDFAST_LOAD_FIXTURE", "load-test.json"
_SIGNED_IN_SECONDS = 300.0
"""For so long a token is used: well within what any server gives it."""
_MOMENT_SECONDS = 0.01


class Answered(NamedTuple):
    """`status` 0: no answer. `body`: its document, an empty one if there was none."""

    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))


Wrong = Callable[[Answered], str | None]
"""Says what is wrong with an answer; None if nothing is."""


class Party:
    """What the users of one process have in common: the fixture's people, at the address that the command line names, or that
    of the fixture, if it names none."""

    def __init__(self, environment: Environment) -> None:
        self.fixture: Fixture = read(Path(os.environ.get(FIXTURE_VARIABLE, FIXTURE_FILE)))
        environment.host = environment.host or self.fixture.url
        self.address = Address.of(environment.host)
        self._tokens: dict[str, tuple[str, float]] = {}
        self._alone = threading.Lock()
        # The clock that --run-time counts by stands still until somebody sleeps: the seconds of importing would count.
        time.sleep(_MOMENT_SECONDS)

    def client(self, of: Organization) -> Client:
        """A connection of its own, for looking before and after."""
        return Client(self.address, self.token(of))

    def token(self, of: Organization) -> str:
        with self._alone:
            token, until = self._tokens.get(of.id, ("", 0.0))
            if time.monotonic() >= until:
                with msgspec.structs.replace(of, address=self.address).signed_in() as admin:
                    token = admin.token
                self._tokens[of.id] = token, time.monotonic() + _SIGNED_IN_SECONDS
            return token


class Caller(FastHttpUser):
    """A user who signs in once, and for whom only the answers that a task names are successes."""

    abstract = True
    party: ClassVar[Party]

    def ask(
        self, who: Organization, name: str, method: str, path: str, body: Mapping[str, Any] = MappingProxyType({}),
        *, granted: int = 200, refusals: frozenset[str] = frozenset(), wrong: Wrong = lambda _: None,
    ) -> Answered:  # fmt: skip
        """Asks as the organization's admin. What is told under `name` is a success if it has the status `granted`, or is a 409
        with one of the codes `refusals` (told apart, as "… refused"), and nothing is `wrong`."""
        headers = {"Authorization": f"Bearer {self.party.token(who)}"}
        with self.client.request(
            method, f"/api/v1{path}", headers=headers, json=dict(body) or None, name=name, catch_response=True
        ) as response:
            answered = Answered(response.status_code, _document(response.content))
            is_refused = answered.status == 409 and answered.code in refusals
            if is_refused:
                response.request_meta["name"] = f"{name}: refused"
            fault = wrong(answered) if is_refused or answered.status == granted else None
            if fault is None and not is_refused and answered.status != granted:
                fault = f"{answered.status} {answered.code}".strip()
            if fault is None:
                response.success()
            else:
                response.failure(fault)
        return answered


def _document(content: bytes | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def rfc3339(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def listen(init: Callable[..., None], test_start: Callable[..., None], quitting: Callable[..., None]) -> None:
    """What a file does when it has been read, when a run begins, and at the end."""
    for hook, handler in ((events.init, init), (events.test_start, test_start), (events.quitting, quitting)):
        hook.add_listener(handler)  # type: ignore[no-untyped-call]


def worker_number(environment: Environment) -> int | None:
    """Which of several processes this is; None if there is only one."""
    runner = environment.runner
    return runner.worker_index if isinstance(runner, WorkerRunner) else None


def is_worker(environment: Environment) -> bool:
    return isinstance(environment.runner, WorkerRunner)


def say(environment: Environment, text: str) -> None:
    """The last words of a run; one in which nothing was asked has not gone well."""
    sys.stdout.write(text)
    sys.stdout.flush()
    if not environment.stats.total.num_requests:
        environment.process_exit_code = 1
