"""Groups, live: what a calendar shows and the events after it are what it shows when asked again, role by role."""

from typing import Any

import httpx2
import pytest
from api.people import Client
from live.listening import HOUR, MONDAY, Process, Stream, World
from live.test_blocks_told import CALENDAR, made

from holdfast.slot import rfc3339


async def shown(user: httpx2.AsyncClient, world: World) -> tuple[dict[str, Any], int]:
    query = {"clinic_id": world.clinic, "start_date": "2027-05-10", "end_date": "2027-05-10"}
    found = (await user.get(CALENDAR, params=query)).json()
    return {each["id"]: each for each in found["groups"]}, found["as_of_seq"]


async def write(
    admin: httpx2.AsyncClient, world: World, service: str, practitioners: tuple[str, ...]
) -> list[str]:
    """A group of each, both moved, the first cancelled."""
    written = []
    for hour, practitioner in enumerate(practitioners):
        fields = {"clinic_id": world.clinic, "service_id": service, "practitioner_id": practitioner}
        start = rfc3339(MONDAY + hour * HOUR)
        written.append(
            await made(admin, "groups", start=start, members_max=1, location="telehealth", **fields)
        )
        later = {"start": rfc3339(MONDAY + (hour + 5) * HOUR)}
        answer = await admin.patch(f"/api/v1/groups/{written[-1]}", json=later)
        assert answer.status_code == 200, answer.text
    answer = await admin.post(f"/api/v1/groups/{written[0]}/cancel", json={})
    assert answer.status_code == 200, answer.text
    return written


@pytest.mark.parametrize("role", ["scheduler", "practitioner", "patient"])
async def test_groups_are_told_as_far_as_the_role_reaches(
    process: Process, port: int, world: World, client: Client, role: str
) -> None:
    token = world.organization.tokens[role]
    async with client(world.organization.tokens["admin"]) as admin, client(token) as user:
        hours = [
            {"clinic_id": world.clinic, "weekday": n, "start": "00:00", "end": "24:00"} for n in range(7)
        ]
        other = await made(admin, "practitioners", name="Cho", clinic_ids=[world.clinic], working_hours=hours)
        service = await made(
            admin, "services", name="Class", code="CLASS", duration_minutes=30, locations=["telehealth"]
        )
        state, seq = await shown(user, world)
        stream = await Stream.open(port, token, after=seq)
        written = await write(admin, world, service, (world.practitioner, other))
        wanted, _ = await shown(user, world)
    if role == "patient":
        assert wanted == {}
        await stream.silence()
        return
    kinds = []
    for event in await stream.events(5):
        kinds.append(event.kind)
        state[event.data["id"]] = event.data
        if event.kind == "group.cancelled":
            del state[event.data["id"]]
    assert kinds == [*["group.created", "group.moved"] * 2, "group.cancelled"]
    assert wanted == state
    assert wanted.keys() == {written[1]}
    assert wanted[written[1]]["service_id"] == (service if role == "scheduler" else None)
    stream.close()
