"""Refresh tokens: each counts once, an older one ends the session, and signing out ends it too."""

import asyncio

import pytest
from api.people import PASSWORD, Client, Organization, sign_in, writing

from holdfast.app import Application

REFRESH = "/api/v1/auth/refresh"
LOGOUT = "/api/v1/auth/logout"
ME = "/api/v1/auth/me"


async def test_a_refresh_gives_a_new_pair(client: Client, organization: Organization) -> None:
    pair = await sign_in(client, organization.emails["biller"])
    async with client() as nobody:
        for _ in range(3):
            answer = await nobody.post(REFRESH, json={"refresh_token": pair["refresh_token"]})
            assert answer.status_code == 200
            assert answer.json().keys() == pair.keys()
            assert answer.json()["refresh_token"] != pair["refresh_token"]
            pair = answer.json()
    async with client(pair["access_token"]) as user:
        assert (await user.get(ME)).json()["role"] == "biller"


async def test_an_older_one_revokes_the_family(client: Client, organization: Organization) -> None:
    first = await sign_in(client, organization.emails["biller"])
    other = await sign_in(client, organization.emails["biller"])
    async with client() as nobody, client(first["access_token"]) as user:
        second = (await nobody.post(REFRESH, json={"refresh_token": first["refresh_token"]})).json()
        assert (await user.get(ME)).status_code == 200
        reused = await nobody.post(REFRESH, json={"refresh_token": first["refresh_token"]})
        assert (reused.status_code, reused.json()["code"]) == (401, "refresh_reused")
        newest = await nobody.post(REFRESH, json={"refresh_token": second["refresh_token"]})
        assert (newest.status_code, newest.json()["code"]) == (401, "refresh_reused")
        assert (await user.get(ME)).status_code == 401
        untouched = await nobody.post(REFRESH, json={"refresh_token": other["refresh_token"]})
        assert untouched.status_code == 200, "another sign-in of the same user is another family"
    async with client(second["access_token"]) as user:
        assert (await user.get(ME)).status_code == 401


async def test_of_equal_refreshes_at_once_at_most_one_succeeds(
    client: Client, organization: Organization
) -> None:
    for _ in range(10):
        pair = await sign_in(client, organization.emails["biller"])
        async with client() as nobody:
            body = {"refresh_token": pair["refresh_token"]}
            answers = await asyncio.gather(*(nobody.post(REFRESH, json=body) for _ in range(6)))
        assert sorted(a.status_code for a in answers) == [200] + [401] * 5
        assert {a.json()["code"] for a in answers if a.status_code == 401} == {"refresh_reused"}


@pytest.mark.parametrize("change", [
    lambda text: text[:-1], lambda text: text + "A", lambda text: text.upper(), lambda _: "hfr_" + "A" * 112,
    lambda text: text[:50] + ("A" if text[50] != "A" else "B") + text[51:],
    lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"), lambda text: text.removeprefix("hfr_"),
    lambda _: "x" * 1000, lambda _: "ü" * 116, lambda text: " " + text,
    lambda text: "hfr_" + ("B" if text[4] == "A" else "A") + text[5:],
])  # fmt: skip
async def test_an_altered_one_is_nobodys_and_harms_nobody(
    client: Client, organization: Organization, change: object
) -> None:
    assert callable(change)
    pair = await sign_in(client, organization.emails["biller"])
    async with client() as nobody:
        altered = await nobody.post(REFRESH, json={"refresh_token": change(pair["refresh_token"])})
        assert (altered.status_code, altered.json()["code"]) == (401, "invalid_token")
        assert (await nobody.post(REFRESH, json={"refresh_token": pair["refresh_token"]})).status_code == 200


async def test_an_expired_one_is_not_good(
    application: Application, client: Client, organization: Organization
) -> None:
    pair = await sign_in(client, organization.emails["biller"])
    async with writing(application, organization.id) as connection:
        await connection.execute("update sign_in_sessions set expires_at = now() - interval '1 second'")
    async with client() as nobody:
        answer = await nobody.post(REFRESH, json={"refresh_token": pair["refresh_token"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_signing_out_ends_both_tokens_of_this_session_only(
    client: Client, organization: Organization
) -> None:
    here = await sign_in(client, organization.emails["biller"])
    there = await sign_in(client, organization.emails["biller"])
    async with client(here["access_token"]) as user:
        assert (await user.get(ME)).status_code == 200
        answer = await user.post(LOGOUT)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await user.get(ME)).status_code == 401
        refreshed = await user.post(REFRESH, json={"refresh_token": here["refresh_token"]})
        assert (refreshed.status_code, refreshed.json()["code"]) == (401, "invalid_token")
    async with client(there["access_token"]) as user:
        assert (await user.get(ME)).status_code == 200


@pytest.mark.usefixtures("products_hashing")
async def test_only_hashes_are_stored(
    application: Application, client: Client, organization: Organization
) -> None:
    user = {"email": "new@juniper.example", "password": PASSWORD, "role": "biller"}
    async with client(organization.tokens["admin"]) as admin:
        assert (await admin.post("/api/v1/users", json=user)).status_code == 201
    pair = await sign_in(client, "new@juniper.example")
    async with writing(application, organization.id) as connection:
        rows = await connection.fetch(
            "select s::text from sign_in_sessions s union all select u::text from users u"
        )
    stored = " ".join(row[0] for row in rows)
    raw = pair["refresh_token"].removeprefix("hfr_")
    assert raw not in stored
    assert raw.encode().hex() not in stored
    assert PASSWORD not in stored
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in stored
