"""/operator/organizations: scratch organizations come and go without a trace, and no other can be deleted by anybody."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest
from api import world
from api.people import PASSWORD, Client, Organization, make_organization, sign_in, writing

from holdfast import ids
from holdfast.app import Application
from holdfast.commands.organizations import Created
from holdfast.settings import Settings, SettingsError, load

PATH = "/api/v1/operator/organizations"
TOKEN = "the operator's token of these tests"
NEW = {"name": "Proof", "admin_email": "proof@scratch.example", "admin_password": PASSWORD}
TABLES = """
    select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, operator_token=TOKEN)


async def make(client: Client, **changes: Any) -> httpx2.Response:
    async with client(TOKEN) as operator:
        return await operator.post(PATH, json=NEW | changes)


async def delete(client: Client, organization: str) -> httpx2.Response:
    async with client(TOKEN) as operator:
        return await operator.delete(f"{PATH}/{organization}")


async def rows_of(settings: Settings, organization: str) -> Counter[str]:
    """How many rows the organization has, by table."""
    connection = await asyncpg.connect(settings.database_admin_url)
    found: Counter[str] = Counter()
    for row in await connection.fetch(TABLES):
        count = f"select count(*) from {row['relname']} where organization_id = $1"
        found[row["relname"]] = await connection.fetchval(count, organization)
    await connection.close()
    assert len(found) > 30
    return +found


async def test_a_scratch_organization_is_used_like_any_other(client: Client) -> None:
    answer = await make(client)
    assert answer.status_code == 201, answer.text
    pair = await sign_in(client, NEW["admin_email"])
    async with client(pair["access_token"]) as admin:
        clinic = await admin.post("/api/v1/clinics", json={"name": "Main", "time_zone": "UTC"})
        assert clinic.status_code == 201
        assert (await admin.get("/api/v1/organization")).json()["id"] == answer.json()["organization_id"]
    taken = await make(client)
    assert (taken.status_code, taken.json()["code"]) == (409, "already_exists")


async def test_it_goes_with_every_row_and_takes_nobody_elses(
    application: Application, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of every noun in a scratch organization and in a real one, whose rows are all there afterwards."""
    real = await make_organization(application, client, "Juniper")
    await world.make(client, real, "Juniper")
    scratch = await scratch_with_everything(application, client, settings, monkeypatch)
    kept = await rows_of(settings, real.id)
    filled = await rows_of(settings, scratch.id)
    assert {
        "audit",
        "events",
        "claims",
        "policy_states",
        "appointment_lines",
        "login_directory",
        "totp_factors",
    } <= filled.keys()
    assert (await delete(client, scratch.id)).status_code == 204
    assert await rows_of(settings, scratch.id) == Counter()
    assert await rows_of(settings, real.id) == kept
    async with client(scratch.tokens["admin"]) as gone:
        assert (await gone.get("/api/v1/auth/me")).status_code == 401
    async with client(real.tokens["admin"]) as admin:
        assert (await admin.get(f"/api/v1/appointments/{real.made['appointments']}")).status_code == 200
    assert (await delete(client, scratch.id)).status_code == 404
    again = await make_organization(application, client, "Scratch")
    assert again.id != scratch.id


async def scratch_with_everything(
    application: Application, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Organization:
    """One of every noun, in an organization that the operator made."""
    from api import people

    async def by_operator(*_: Any, **__: Any) -> Created:
        answer = await make(client, admin_email="admin@scratch.example")
        assert answer.status_code == 201, answer.text
        return msgspec.convert(answer.json(), Created)

    with monkeypatch.context() as patched:
        patched.setattr(people, "create_organization", by_operator)
        scratch = await make_organization(application, client, "Scratch")
    await world.make(client, scratch, "Scratch")
    async with client(scratch.tokens["biller"]) as biller:
        assert (await biller.post("/api/v1/auth/totp")).status_code == 201
        assert (await biller.get("/api/v1/users")).status_code == 403  # and so in the denials
    return scratch


async def test_a_real_organization_survives_every_attempt(
    application: Application, client: Client, organization: Organization, settings: Settings
) -> None:
    kept = await rows_of(settings, organization.id)
    for real in (organization.id, organization.id.upper()):
        refused = await delete(client, real)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    async with writing(application, organization.id) as connection:
        assert await connection.fetchval("select delete_scratch($1)", organization.id) is False
    for attempt in (
        "update organizations set is_scratch = true where organization_id = $1",
        "delete from organizations where organization_id = $1",
        "delete from audit where organization_id = $1",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with writing(application, organization.id) as connection:
                await connection.execute(attempt, organization.id)
    made = (await make(client)).json()["organization_id"]
    # from within a scratch organization as from anywhere else
    async with writing(application, made) as connection:
        assert await connection.fetchval("select delete_scratch($1)", organization.id) is False
    assert await rows_of(settings, organization.id) == kept


async def test_an_unknown_one_is_like_a_real_one(client: Client, organization: Organization) -> None:
    real, unknown = (await delete(client, organization.id)).json(), (await delete(client, ids.new())).json()
    for each in (real, unknown):
        del each["instance"], each["request_id"]
    assert real == unknown
    assert (await delete(client, "1")).status_code == 404


@pytest.mark.parametrize(
    "given", ["", "Basic x", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN]
)
async def test_only_the_operator(client: Client, organization: Organization, given: str) -> None:
    scratch = (await make(client)).json()["organization_id"]
    for headers in ({"Authorization": given}, {"Authorization": f"Bearer {organization.tokens['admin']}"}):
        async with client(**headers) as other:
            answers = [
                await other.post(PATH, json=NEW | {"admin_email": "more@scratch.example"}),
                await other.delete(f"{PATH}/{scratch}"),
            ]
        assert {(a.status_code, a.json()["code"]) for a in answers} == {(401, "invalid_token")}
    assert (await delete(client, scratch)).status_code == 204


async def test_the_operator_is_nobody_elsewhere(client: Client) -> None:
    async with client(TOKEN) as operator:
        assert (await operator.get("/api/v1/clinics")).status_code == 401


async def test_without_the_setting_there_are_no_such_calls(settings: Settings) -> None:
    application = Application(msgspec.structs.replace(settings, operator_token=""))
    async with application.running():
        transport: Any = httpx2.ASGITransport(application)  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url="http://holdfast.test") as nobody:
            for token in ("", TOKEN):
                headers = {"Authorization": f"Bearer {token}"}
                unknown = await nobody.post("/api/v1/nothing", headers=headers)
                for answer in (
                    await nobody.post(PATH, json=NEW, headers=headers), await nobody.get(PATH, headers=headers),
                    await nobody.delete(f"{PATH}/{ids.new()}", headers=headers),
                ):  # fmt: skip
                    assert (answer.status_code, answer.json()["detail"]) == (404, unknown.json()["detail"])


def test_a_short_token_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="operator_token"):
        load({"HOLDFAST_OPERATOR_TOKEN": "short"})


async def test_deleting_beside_work_leaves_no_row(client: Client, settings: Settings) -> None:
    """Sign-ins and changes go on while it is deleted, and twice at once."""
    scratch = (await make(client)).json()["organization_id"]
    token = (await sign_in(client, NEW["admin_email"]))["access_token"]

    async def work(number: int) -> None:
        async with client(token) as admin:
            await admin.post("/api/v1/payers", json={"name": f"Payer {number}"})
            await admin.post("/api/v1/auth/login", json={"email": NEW["admin_email"], "password": PASSWORD})

    working = [asyncio.create_task(work(number)) for number in range(12)]
    answers = await asyncio.gather(*(delete(client, scratch) for _ in range(2)))
    await asyncio.gather(*working)
    assert sorted(answer.status_code for answer in answers) == [204, 404]
    assert await rows_of(settings, scratch) == Counter()


async def test_a_sign_in_that_is_just_being_written_goes_too(
    application: Application, client: Client, settings: Settings
) -> None:
    """Its row is there when the deletion looks, although it was not yet when the deletion began."""
    made = (await make(client)).json()
    connection = await asyncpg.connect(settings.database_admin_url)
    waiting = "select count(*) from pg_locks where not granted"
    async with writing(application, made["organization_id"]) as writer:
        await writer.execute(
            "insert into sign_in_sessions (organization_id, id, user_id, refresh_hash, expires_at)"
            " values ($1, $2, $3, sha256('x'), now() + interval '1 day')",
            made["organization_id"], ids.new(), made["user_id"],
        )  # fmt: skip
        deleting = asyncio.create_task(delete(client, made["organization_id"]))
        async with asyncio.timeout(30):
            while not await connection.fetchval(waiting) and not deleting.done():
                await asyncio.sleep(0.01)
    await connection.close()
    assert (await deleting).status_code == 204
    assert await rows_of(settings, made["organization_id"]) == Counter()


async def test_only_the_service_role_may_call_the_function(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.database_admin_url)
    may = "select has_function_privilege($1, 'delete_scratch(uuid)', 'execute')"
    assert await connection.fetchval(may, "holdfast_service") is True
    assert await connection.fetchval(may, "public") is False
    await connection.close()
