"""Blocks, live: what a calendar shows and the events after it are what it shows when asked again, role by role."""

from typing import Any

import httpx2
import pytest
from api.people import Client
from live.listening import HOUR, MONDAY, Process, Stream, World

from holdfast.slot import rfc3339

CALENDAR = "/api/v1/calendar"


async def shown(user: httpx2.AsyncClient, world: World) -> tuple[dict[str, Any], int]:
    query = {"clinic_id": world.clinic, "start_date": "2027-05-10", "end_date": "2027-05-10"}
    found = (await user.get(CALENDAR, params=query)).json()
    return {each["id"]: each for each in found["blocks"]}, found["as_of_seq"]


async def made(admin: httpx2.AsyncClient, noun: str, **body: Any) -> str:
    answer = await admin.post(f"/api/v1/{noun}", json=body)
    assert answer.status_code == 201, answer.text
    new: str = answer.json()["id"]
    return new


async def write(admin: httpx2.AsyncClient, practitioners: tuple[str, ...]) -> list[str]:
    """A block of each, both moved, the first deleted."""
    written = []
    for hour, practitioner in enumerate(practitioners):
        start = MONDAY + hour * HOUR
        times = {"start": rfc3339(start), "end": rfc3339(start + HOUR)}
        written.append(
            await made(
                admin, "blocks", kind="break", practitioner_ids=[practitioner], label="Secret", **times
            )
        )
        later = {"start": rfc3339(start + 5 * HOUR)}
        answer = await admin.patch(f"/api/v1/blocks/{written[-1]}", json=later)
        assert answer.status_code == 200, answer.text
    assert (await admin.delete(f"/api/v1/blocks/{written[0]}")).status_code == 204
    return written


@pytest.mark.parametrize("role", ["scheduler", "practitioner", "patient"])
async def test_blocks_are_told_as_far_as_the_role_reaches(
    process: Process, port: int, world: World, client: Client, role: str
) -> None:
    token = world.organization.tokens[role]
    async with client(world.organization.tokens["admin"]) as admin, client(token) as user:
        other = await made(admin, "practitioners", name="Cho", clinic_ids=[world.clinic])
        state, seq = await shown(user, world)
        stream = await Stream.open(port, token, after=seq)
        written = await write(admin, (world.practitioner, other))
        wanted, _ = await shown(user, world)
    if role == "patient":
        assert wanted == {}
        await stream.silence()
        return
    kinds = []
    for event in await stream.events(5):
        kinds.append(event.kind)
        assert "label" not in event.data or event.data["label"] is None
        state[event.data["id"]] = event.data
        if event.kind == "block.deleted":
            del state[event.data["id"]]
    assert kinds == [*["block.created", "block.moved"] * 2, "block.deleted"]
    assert wanted.keys() == state.keys() == {written[1]}
    assert wanted[written[1]]["kind"] == ("break" if role == "scheduler" else None)
    assert {**wanted[written[1]], "label": None} == {**state[written[1]], "label": None}
    stream.close()
