"""/setup: an empty installation, the token that was printed, and exactly one first organization."""

import asyncio
from typing import Any

import httpx2
import msgspec
import pytest
from api.people import PASSWORD, Client, Organization, make_organization, sign_in

from holdfast.app import Application
from holdfast.commands.setup import hashed, new_token
from holdfast.settings import Settings

SETUP = "/api/v1/setup"
TOKEN = "hfs_a-set-up-token-that-the-tests-know"
NEW: dict[str, Any] = {
    "token": TOKEN, "name": "Northside", "time_zone": "America/Denver", "admin_email": "You@northside.example",
    "admin_password": PASSWORD, "admin_name": "You",
}  # fmt: skip


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, setup_token_sha256=hashed(TOKEN))


async def ask(client: Client, **changes: Any) -> httpx2.Response:
    async with client() as nobody:
        return await nobody.post(SETUP, json=NEW | changes)


async def test_the_first_admin_signs_in_and_must_enrol_a_second_factor(client: Client) -> None:
    answer = await ask(client)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made.keys() == {"organization_id", "user_id"}
    pair = await sign_in(client, "you@northside.example")
    async with client(pair["access_token"]) as admin:
        me = (await admin.get("/api/v1/auth/me")).json()
        assert (me["organization_id"], me["user_id"], me["role"]) == (*made.values(), "admin")
        assert me["must_enrol_totp"] is True
        refused = await admin.get("/api/v1/clinics")
        assert (refused.status_code, refused.json()["code"]) == (403, "totp_enrolment_required")


async def test_afterwards_nobody_sets_up_anything(client: Client) -> None:
    assert (await ask(client)).status_code == 201
    for changes in ({}, {"admin_email": "other@northside.example"}, {"token": new_token()}):
        again = await ask(client, **changes)
        assert (again.status_code, again.json()["code"]) == (409, "already_set_up")


async def test_an_installation_in_use_is_not_set_up(
    application: Application, client: Client, organization: Organization
) -> None:
    assert (await ask(client)).status_code == 409


@pytest.mark.parametrize("token", ["x", TOKEN[:-1], TOKEN.upper(), f"{TOKEN} ", hashed(TOKEN)])
async def test_another_token_makes_nothing(client: Client, token: str) -> None:
    wrong = await ask(client, token=token)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_token")
    assert (await ask(client)).status_code == 201


async def test_a_server_that_printed_no_token_takes_none(settings: Settings) -> None:
    application = Application(msgspec.structs.replace(settings, setup_token_sha256=""))
    async with application.running():
        transport: Any = httpx2.ASGITransport(application)  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url="http://holdfast.test") as nobody:
            for token in (TOKEN, hashed("")):
                answer = await nobody.post(SETUP, json=NEW | {"token": token})
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(("changes", "field"), [
    ({"name": ""}, "name"), ({"name": "  "}, "name"), ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"admin_email": "nobody"}, "admin_email"), ({"admin_password": "short"}, "admin_password"),
    ({"patient_label": "customer"}, "patient_label"), ({"is_scratch": True}, "is_scratch"), ({"token": ""}, "token"),
])  # fmt: skip
async def test_what_cannot_be_is_said_and_the_token_stays_good(
    client: Client, changes: dict[str, Any], field: str
) -> None:
    answer = await ask(client, **changes)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await ask(client)).status_code == 201


async def test_of_many_at_once_one_wins(client: Client, settings: Settings) -> None:
    """Over the connections of two applications. The losers leave nothing: their addresses are free."""
    other = Application(settings)
    async with other.running():
        transport: Any = httpx2.ASGITransport(other)  # type: ignore[arg-type]
        async with (
            client() as here,
            httpx2.AsyncClient(transport=transport, base_url="http://other.test") as there,
        ):
            answers = await asyncio.gather(*(
                (here, there)[n % 2].post(SETUP, json=NEW | {"admin_email": f"admin{n}@northside.example"})
                for n in range(8)
            ))  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    (winner,) = (n for n, answer in enumerate(answers) if answer.status_code == 201)
    for n in range(8):
        async with client() as nobody:
            login = {"email": f"admin{n}@northside.example", "password": PASSWORD}
            signed_in = await nobody.post("/api/v1/auth/login", json=login)
        assert (signed_in.status_code == 200) is (n == winner)


async def test_a_set_up_beside_a_creation_is_refused_or_first(
    application: Application, client: Client
) -> None:
    """The command line claims its address on its own: whoever is first, nothing is half made."""
    outcomes = await asyncio.gather(ask(client), make_organization(application, client, "Juniper"))
    assert outcomes[0].status_code in {201, 409}
    await sign_in(client, outcomes[1].emails["admin"])
