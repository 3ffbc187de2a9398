"""What nobody waits for any more goes by itself, and nothing else does."""

from typing import Any

import httpx2
import msgspec
from api.people import Organization
from api.practice import API, Practice, monday

from holdfast.commands.housekeeping import cleaned


async def planned(practice: Practice) -> Any:
    path = f"{API}/clinics/{practice.made['clinic']}/room-plan"
    answer = await practice.admin.post(path, params={"date": str(monday())})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def shown(practice: Practice, plan_id: str) -> httpx2.Response:
    return await practice.admin.get(f"{API}/room-plans/{plan_id}")


async def test_a_room_plan_that_nobody_applied_is_thrown_away_after_some_days(practice: Practice) -> None:
    house = practice.application.house
    assert house is not None
    settings = msgspec.structs.replace(house.settings, room_plan_keep_days=7)
    applied, old = await planned(practice), await planned(practice)
    assert (await practice.admin.post(f"{API}/room-plans/{applied}/apply")).status_code == 200
    await practice.stored(
        "update room_plans set created_at = created_at - interval '8 days' where organization_id = $1"
    )
    young = await planned(practice)
    await practice.stored(
        "update room_plans set created_at = created_at - interval '6 days' where organization_id = $1 and id = $2",
        young,
    )
    await cleaned(house.database, settings, house.sweep)
    assert practice.problem(await shown(practice, old), 404)["field"] == "id"
    gone = await practice.admin.post(f"{API}/room-plans/{old}/apply")
    assert practice.problem(gone, 404)["field"] == "id"
    assert [(await shown(practice, each)).json()["status"] for each in (applied, young)] == [
        "applied",
        "proposed",
    ]


async def test_what_fails_in_one_organization_leaves_the_others_theirs(
    practice: Practice, stranger: Organization
) -> None:
    house, swept = practice.application.house, set[str]()
    assert house is not None

    async def sweep(organization: str) -> None:
        swept.add(organization)
        raise RuntimeError("nothing works here")

    await cleaned(house.database, house.settings, sweep)
    assert {practice.organization.id, stranger.id} <= swept
