"""Sessions, live: whoever may read one is told that it was written, and nobody of what was written."""

import pytest
from api.people import Client
from live.listening import Process, Stream, World, book, visit

SESSIONS = "/api/v1/sessions"


@pytest.mark.parametrize("role", ["admin", "scheduler", "practitioner", "biller", "patient", "auditor"])
async def test_sessions_are_told_as_far_as_the_role_reaches(
    process: Process, port: int, world: World, client: Client, role: str
) -> None:
    planned = visit(world)
    await book(process, world, planned)
    stream = await Stream.open(port, world.organization.tokens[role])
    async with client(world.organization.tokens["practitioner"]) as practitioner:
        body = {"appointment_id": planned.id, "narrative": "Secret"}
        begun = await practitioner.post(SESSIONS, json=body)
        assert begun.status_code == 201, begun.text
        path = f"{SESSIONS}/{begun.json()['id']}"
        assert (await practitioner.patch(path, json={"plan": "Secret"})).status_code == 200
    if role in {"scheduler", "patient"}:
        await stream.silence()
        return
    told = await stream.events(2)
    assert [each.kind for each in told] == ["session.created", "session.changed"]
    assert [each.data["version"] for each in told] == [1, 2]
    assert not [each for each in told if "Secret" in str(each.data)]
    stream.close()


async def test_another_practitioners_session_is_told_to_nobody_but_who_reads_all(
    process: Process, port: int, world: World, client: Client
) -> None:
    planned = visit(world)
    await book(process, world, planned)
    async with client(world.organization.tokens["admin"]) as admin:
        other = await admin.post("/api/v1/practitioners", json={"name": "Cho", "clinic_ids": [world.clinic]})
        answer = await admin.post("/api/v1/users", json={
            "email": "cho@juniper.example", "name": "Cho", "role": "practitioner", "password": "a password of Cho's own",
            "practitioner_id": other.json()["id"],
        })  # fmt: skip
        assert answer.status_code == 201, answer.text
        pair = await admin.post(
            "/api/v1/auth/login", json={"email": "cho@juniper.example", "password": "a password of Cho's own"}
        )
    stream = await Stream.open(port, pair.json()["access_token"])
    async with client(world.organization.tokens["practitioner"]) as practitioner:
        begun = await practitioner.post(SESSIONS, json={"appointment_id": planned.id})
        assert begun.status_code == 201, begun.text
    await stream.silence()
