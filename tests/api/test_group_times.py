"""When else a group could be, if it cannot be when it was asked for."""

from api.practice import API, Practice, at


async def test_a_group_that_cannot_move_may_stay_where_it_is(practice: Practice) -> None:
    """Its own time is in nobody's way, wherever it was asked to be."""
    await practice.make(
        "rooms", "play", clinic_id=practice.made["clinic"], number="9", room_type="talk", capacity=6
    )
    first = practice.booking(at(9))
    wanted = {name: first[name] for name in ("clinic_id", "practitioner_id", "service_id", "start")}
    made = await practice.admin.post(f"{API}/groups", json=wanted | {"members_max": 2})
    assert made.status_code == 201, made.text
    for start in (10, 11, 12):
        await practice.book(at(start))
    answer = await practice.admin.patch(f"{API}/groups/{made.json()['id']}", json={"start": at(10)})
    problem = practice.problem(answer, 409)
    assert problem["code"] == "practitioner_conflict"
    assert at(9) in [slot["start"] for slot in problem["alternatives"]["slots"]]
