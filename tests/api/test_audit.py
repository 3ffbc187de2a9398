"""/audit: what was done, and that nobody can have altered it unseen."""

import asyncpg
import pytest
from api.people import PASSWORD, Client, Organization

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
