"""A policy that one process puts into force is what every process decides by from then on, whatever it remembers."""

from typing import Any

import pytest
from laws.conftest import Open
from laws.wire import together
from laws.world import World, crowd, day

# Every visit of these laws begins at nine by the clinic's clock.
_NOT_AT_NINE = {
    "name": "Not at nine", "kind": "hard", "type": "time_range", "time_from": "09:00", "time_to": "10:00",
    "allow": "outside",
}  # fmt: skip


async def _policy(world: World, rules: list[Any]) -> str:
    made = await world.client(0).post("/policies", {"scope": "organization", "rules": rules})
    assert made.status == 201, made
    return str(made.body["id"])


async def test_the_next_decision_of_another_process_is_by_it(open_world: Open) -> None:
    """Both have decided before, so both remember the organization without the rule."""
    world = await open_world(2)
    here, elsewhere = world.client(0), world.client(1)
    for number, client in enumerate((here, elsewhere)):
        booked = await client.post("/appointments", world.booking(day(number)))
        assert (booked.status, booked.body["assignment"]["policy_version"]) == (201, 0)
    policy = await _policy(world, [_NOT_AT_NINE])
    for round_number in range(10):
        start = day(2 + round_number)
        activated = await here.post(f"/policies/{policy}/activate")
        assert activated.status == 200
        active = await elsewhere.get("/policies/active")
        assert active.body["version"] == activated.body["policy_version"]
        refused = await elsewhere.post("/appointments", world.booking(start))
        assert (refused.status, refused.body["code"]) == (409, "rule_violation"), refused.body
        assert refused.body["reasons"][0]["rule"] == "Not at nine"
        assert (await here.post(f"/policies/{policy}/rollback")).status == 200
        booked = await elsewhere.post("/appointments", world.booking(start))
        assert (booked.status, booked.body["assignment"]["policy_version"]) == (201, 0)


@pytest.mark.parametrize("servers", [1, 2])
async def test_activations_at_once_are_one_after_the_other(open_world: Open, servers: int) -> None:
    """Each has a number of its own, the last one is in force, and the others can be had back one by one."""
    world = await open_world(servers)
    policies = [await _policy(world, [_NOT_AT_NINE | {"name": f"Rule {number}"}]) for number in range(6)]
    clients = await crowd(world, len(policies))
    replies = await together([
        client.post(f"/policies/{policy}/activate") for client, policy in zip(clients, policies, strict=True)
    ])  # fmt: skip
    assert {reply.status for reply in replies} == {200}
    given = sorted((reply.body["policy_version"], reply.body["id"]) for reply in replies)
    assert len({version for version, _ in given}) == len(policies)
    way_back = []
    while (active := (await world.client().get("/policies?status=active")).body["items"]) != []:
        (one,) = active
        way_back.append(one["id"])
        assert (await world.client().post(f"/policies/{one['id']}/rollback")).status == 200
    assert way_back == [policy for _, policy in reversed(given)]
    assert (await world.client().get("/policies/active")).body["version"] == 0
