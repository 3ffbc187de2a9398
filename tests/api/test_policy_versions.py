"""Random savings, activations and rollbacks in three scopes against a model of stacks: a number never names two sets, and
the way back is the way that was come.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from api.people import Client
from api.practice import API, Practice
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

POLICIES = f"{API}/policies"
SCOPES = ("organization", "clinic", "service")
Run = Callable[[Awaitable[Any]], Any]


@dataclass
class World:
    """One practice for all runs; a run begins when everything is rolled back."""

    admin: httpx2.AsyncClient
    whose: dict[str, str | None]
    run: Run
    sets: dict[int, frozenset[str]] = field(default_factory=lambda: {0: frozenset()})
    """Every number that was ever in force, with its set: over all runs."""


def machine(world: World) -> type[RuleBasedStateMachine]:
    class Policies(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.versions: dict[str, int] = {}
            self.scope_of: dict[str, str] = {}
            self.stacks: dict[str, list[str]] = {scope: [] for scope in SCOPES}
            while active := self.call("GET", f"{POLICIES}?status=active")["items"]:
                self.call("POST", f"{POLICIES}/{active[0]['id']}/rollback")

        def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
            answer = world.run(world.admin.request(method, path, json=body))
            assert answer.status_code == status, answer.text
            return answer.json()

        @rule(scope=st.sampled_from(SCOPES))
        def save(self, scope: str) -> None:
            body: dict[str, Any] = {"scope": scope, "scope_id": world.whose[scope], "rules": []}
            made = self.call("POST", POLICIES, body, 201)
            assert made["version"] > max([*world.sets, *self.versions.values()])
            self.versions[made["id"]], self.scope_of[made["id"]] = made["version"], scope

        @precondition(lambda self: self.versions)
        @rule(data=st.data())
        def activate(self, data: st.DataObject) -> None:
            policy = data.draw(st.sampled_from(sorted(self.versions)))
            stack = self.stacks[self.scope_of[policy]]
            changed = self.call("POST", f"{POLICIES}/{policy}/activate")
            if not stack or stack[-1] != policy:
                assert changed["policy_version"] == changed["version"] not in world.sets
                stack.append(policy)
            self.versions[policy] = changed["version"]

        @precondition(lambda self: self.versions)
        @rule(data=st.data())
        def roll_back(self, data: st.DataObject) -> None:
            policy = data.draw(st.sampled_from(sorted(self.versions)))
            stack = self.stacks[self.scope_of[policy]]
            is_active = bool(stack) and stack[-1] == policy
            changed = self.call("POST", f"{POLICIES}/{policy}/rollback", None, 200 if is_active else 409)
            if is_active:
                stack.pop()
                assert changed["in_force_id"] == (stack[-1] if stack else None)
            else:
                assert changed["code"] == "policy_not_active"

        @invariant()
        def a_number_is_one_set(self) -> None:
            version = self.call("GET", f"{POLICIES}/active")["version"]
            found = self.call("GET", f"{POLICIES}?status=active&page_size=100")["items"]
            in_force = frozenset(each["id"] for each in found)
            assert world.sets.setdefault(version, in_force) == in_force
            assert in_force == {stack[-1] for stack in self.stacks.values() if stack}
            assert {each["id"]: each["version"] for each in found}.items() <= self.versions.items()

    return Policies


async def test_a_number_never_names_two_sets(client: Client, practice: Practice) -> None:
    made = practice.made
    whose = {"organization": None, "clinic": made["clinic"], "service": made["talk"]}
    loop = asyncio.get_running_loop()

    def run(awaited: Awaitable[Any]) -> Any:
        async def waited() -> Any:
            return await awaited

        return asyncio.run_coroutine_threadsafe(waited(), loop).result(60)

    world = World(practice.admin, whose, run)
    await asyncio.to_thread(
        run_state_machine_as_test,
        machine(world),
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None,
            suppress_health_check=list(HealthCheck), print_blob=False,
        ),
    )  # fmt: skip
    assert len(world.sets) > 10
    broken = await practice.stored(
        "select 1 from policy_states where organization_id = $1 and version <= version_before"
    )
    assert broken == []
