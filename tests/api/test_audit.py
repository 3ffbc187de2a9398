"""/audit: what was done and what was denied, and that nobody can have altered it unseen."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from api.people import PASSWORD, Client, Organization

from holdfast import ids
from holdfast.settings import Settings

AUDIT = "/api/v1/audit"


@pytest.fixture
async def trail(client: Client, organization: Organization) -> Organization:
    """An organization with some changes behind it."""
    async with client(organization.tokens["admin"]) as admin:
        for number in range(4):
            body = {"email": f"user{number}@juniper.example", "password": PASSWORD, "role": "biller"}
            assert (await admin.post("/api/v1/users", json=body)).status_code == 201
    return organization


async def test_the_newest_comes_first(client: Client, trail: Organization, stranger: Organization) -> None:
    async with client(trail.tokens["auditor"]) as auditor:
        answer = await auditor.get(AUDIT, params={"page_size": 3})
        page = answer.json()
        last = (await auditor.get(AUDIT, params={"page_size": 3, "page": page["total_pages"]})).json()
    assert (page["total"], page["total_pages"]) == (6, 2)
    assert [(entry["action"], entry["batch_no"]) for entry in page["items"]] == [
        ("user.created", 5), ("user.created", 4), ("user.created", 3),
    ]  # fmt: skip
    assert page["items"][0]["actor_id"] == trail.user_ids["admin"]
    assert [entry["action"] for entry in last["items"]] == [
        "user.created",
        "user.created",
        "organization.created",
    ]
    assert answer.headers["as-of-seq"] == "5"
    assert stranger.id not in answer.text


async def test_an_unaltered_chain_holds(client: Client, trail: Organization) -> None:
    async with client(trail.tokens["auditor"]) as auditor:
        whole = (await auditor.get(f"{AUDIT}/verify")).json()
        rest = (await auditor.get(f"{AUDIT}/verify", params={"after_batch": 3})).json()
    assert (whole["is_intact"], whole["batches"], whole["to_batch"]) == (True, 5, 5)
    assert (rest["is_intact"], rest["batches"], rest["head"]) == (True, 2, whole["head"])


@pytest.mark.parametrize("sabotage", [
    "update audit set detail = '{\"role\": \"admin\"}' where organization_id = $1 and batch_no = 3",
    "update audit set created_at = created_at + interval '1 hour' where organization_id = $1 and batch_no = 3",
    "delete from audit where organization_id = $1 and batch_no = 5",
    "delete from batches where organization_id = $1 and batch_no = 3",
    "delete from batches where organization_id = $1 and batch_no = 5",
    "update batches set hash = sha256(hash) where organization_id = $1 and batch_no = 2",
    ("insert into audit (organization_id, batch_no, position, action, subject, subject_id, created_at) "
    "values ($1, 2, 9, 'x', 'user', $1, now())"),
    ("insert into audit (organization_id, batch_no, position, action, subject, subject_id, created_at) "
    "values ($1, 99, 1, 'x', 'user', $1, now())"),
])  # fmt: skip
async def test_an_altered_one_is_seen(
    client: Client, trail: Organization, settings: Settings, sabotage: str
) -> None:
    owner = await asyncpg.connect(settings.database_admin_url)
    assert (await owner.execute(sabotage, trail.id)).endswith("1")
    await owner.close()
    async with client(trail.tokens["auditor"]) as auditor:
        verified = (await auditor.get(f"{AUDIT}/verify")).json()
    assert verified["is_intact"] is False


async def test_the_servers_role_cannot_alter_it(settings: Settings, trail: Organization) -> None:
    server = await asyncpg.connect(settings.database_url)
    try:
        for sabotage in ("delete from audit", "update audit set action = ''", "delete from batches"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await server.execute(sabotage)
    finally:
        await server.close()


async def test_two_rows_of_one_change_cannot_change_places(
    client: Client, trail: Organization, settings: Settings
) -> None:
    """Nor can one of the two go: a payer that is made beside its authorization shares its batch."""
    async with client(trail.tokens["admin"]) as admin:
        made = await admin.post("/api/v1/authorizations", json={
            "patient_id": trail.patient_id, "payer": "New Payer", "service_codes": ["97153"], "total_units": 10,
            "start_date": "2026-01-01", "end_date": "2026-06-30",
        })  # fmt: skip
        assert made.status_code == 201, made.text
        entries = (await admin.get(AUDIT, params={"page_size": 2})).json()["items"]
    assert [entry["position"] for entry in entries] == [2, 1]
    batch = entries[0]["batch_no"]
    owner = await asyncpg.connect(settings.database_admin_url)
    row = "where organization_id = $1 and batch_no = $2 and position ="
    for sabotage in (
        [f"update audit set position = 9 {row} 1", f"update audit set position = 1 {row} 2",
         f"update audit set position = 2 {row} 9"],
        [f"delete from audit {row} 1"],
        [f"update audit set batch_no = batch_no - 1, position = 7 {row} 2"],
    ):  # fmt: skip
        kept = await owner.fetch("select * from audit where organization_id = $1", trail.id)
        for statement in sabotage:
            assert (await owner.execute(statement, trail.id, batch)).endswith("1")
        assert await intact(client, trail) is False, sabotage
        await owner.execute("delete from audit where organization_id = $1", trail.id)
        await owner.copy_records_to_table("audit", records=[tuple(row) for row in kept])
        assert await intact(client, trail) is True
    await owner.close()


async def intact(client: Client, trail: Organization) -> bool:
    async with client(trail.tokens["auditor"]) as auditor:
        told: bool = (await auditor.get(f"{AUDIT}/verify")).json()["is_intact"]
    return told


async def test_it_is_found_by_who_what_which_and_when(client: Client, trail: Organization) -> None:
    async with client(trail.tokens["admin"]) as admin:
        changed = await admin.patch(
            f"/api/v1/users/{trail.user_ids['biller']}", json={"name": "Somebody else"}
        )
        assert changed.status_code == 200
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    async with client(trail.tokens["auditor"]) as auditor:

        async def found(**given: Any) -> list[str]:
            answer = await auditor.get(AUDIT, params=given)
            assert answer.status_code == 200, answer.text
            return [entry["action"] for entry in answer.json()["items"]]

        everything = await found()
        assert len(everything) == 7
        assert await found(actor_id=trail.user_ids["admin"]) == everything
        assert await found(actor_id=ids.new()) == []
        assert await found(action="user.changed") == ["user.changed"]
        assert await found(subject="organization") == ["organization.created"]
        assert await found(subject_id=trail.user_ids["biller"]) == ["user.changed"]
        assert await found(**{"from": (now - hour).isoformat(timespec="seconds")}) == everything
        assert await found(**{"from": (now + hour).isoformat(timespec="seconds")}) == []
        assert await found(to=(now - hour).isoformat(timespec="seconds")) == []
        newest = (await auditor.get(AUDIT)).json()["items"][0]["created_at"]
        assert "user.changed" in await found(**{"from": newest})
        assert "user.changed" not in await found(to=newest)
        reversed_range = {
            "from": now.isoformat(timespec="seconds"),
            "to": (now - hour).isoformat(timespec="seconds"),
        }
        answer = await auditor.get(AUDIT, params=reversed_range)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "to")


async def denials(client: Client, organization: Organization, count: int, **given: Any) -> list[Any]:
    """So many denials, once they have been written: nobody waits for that."""
    items: list[Any] = []
    async with client(organization.tokens["auditor"]) as auditor:
        for _ in range(200):
            answer = await auditor.get(f"{AUDIT}/denials", params=given)
            assert answer.status_code == 200, answer.text
            items = answer.json()["items"]
            if len(items) >= count:
                break
            await asyncio.sleep(0.02)
    assert len(items) == count
    return items


async def test_what_was_denied_is_told_to_whoever_reads_the_audit(
    client: Client, organization: Organization, stranger: Organization
) -> None:
    path = f"/api/v1/users/{stranger.user_ids['biller']}"
    async with client(organization.tokens["scheduler"]) as desk:
        forbidden = await desk.patch(path, json={"role": "admin"}, headers={"If-Match": "nonsense"})
        assert forbidden.status_code == 403, "the role comes before anything else"
    async with client(organization.tokens["admin"]) as admin:
        foreign = await admin.patch(path, json={"role": "admin"})
        assert foreign.status_code == 404
        assert (await admin.get("/api/v1/users/nonsense")).status_code == 404
        none = await admin.get(
            "/api/v1/authorizations/active",
            params={"patient_id": organization.patient_id, "service_code": "97153"},
        )
        assert none.status_code == 404, "there is none: an answer, and no denial"
    for door in ("login", "session"):
        async with client() as nobody:
            body = {"email": organization.emails["biller"], "password": "a wrong password"}
            assert (await nobody.post(f"/api/v1/auth/{door}", json=body)).status_code == 401
    items = await denials(client, organization, 5)
    assert {(each["code"], each["action"], each["actor_id"], each["subject_id"]) for each in items} == {
        ("forbidden", "PATCH /api/v1/users/{id}", organization.user_ids["scheduler"], stranger.user_ids["biller"]),
        ("not_found", "PATCH /api/v1/users/{id}", organization.user_ids["admin"], stranger.user_ids["biller"]),
        ("not_found", "GET /api/v1/users/{id}", organization.user_ids["admin"], None),
        ("invalid_credentials", "sign_in", organization.user_ids["biller"], organization.user_ids["biller"]),
    }  # fmt: skip
    assert forbidden.headers["x-request-id"] in {each["request_id"] for each in items}
    for given, count in (
        ({"code": "forbidden"}, 1), ({"actor_id": organization.user_ids["admin"]}, 2),
        ({"action": "sign_in"}, 2), ({"subject_id": stranger.user_ids["biller"]}, 2),
    ):  # fmt: skip
        await denials(client, organization, count, **given)
    assert await denials(client, stranger, 0) == []
    for role in ("scheduler", "practitioner", "biller", "patient"):
        async with client(organization.tokens[role]) as user:
            assert (await user.get(f"{AUDIT}/denials")).status_code == 403, role
