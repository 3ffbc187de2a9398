"""/users: who makes whom, and what ends a session."""

import asyncio
from typing import Any

import pytest
from api.people import PASSWORD, Client, Organization, sign_in, writing

from holdfast import ids
from holdfast.app import Application

USERS = "/api/v1/users"
NEW = {"email": "New.Person@juniper.example", "password": PASSWORD, "role": "scheduler", "name": "New Person"}


async def test_an_admin_makes_a_user_who_signs_in(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        answer = await admin.post(USERS, json=NEW)
        assert answer.status_code == 201, answer.text
        user = answer.json()
        assert user["email"] == "new.person@juniper.example"
        assert (user["role"], user["is_active"], user["version"]) == ("scheduler", True, 1)
        assert answer.headers["etag"] == '"1"'
        got = await admin.get(f"{USERS}/{user['id']}")
        assert got.json() == user
        assert got.headers["as-of-seq"].isdigit()
    assert "hash" not in answer.text
    pair = await sign_in(client, "new.person@juniper.example")
    async with client(pair["access_token"]) as user_client:
        assert (await user_client.get("/api/v1/auth/me")).json()["role"] == "scheduler"


async def test_an_address_is_one_persons_over_all_organizations(
    client: Client, organization: Organization, stranger: Organization
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        for taken in (organization.emails["biller"].upper(), stranger.emails["biller"]):
            answer = await admin.post(USERS, json=NEW | {"email": taken})
            assert answer.status_code == 409
            assert answer.json()["code"] == "already_exists"
            assert answer.json()["field"] == "email"
            assert stranger.id not in answer.text


async def test_equal_addresses_at_once_make_one_user(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        answers = await asyncio.gather(*(admin.post(USERS, json=NEW) for _ in range(6)))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 5
    await sign_in(client, NEW["email"])


async def test_an_address_is_given_back_when_no_user_comes_of_it(
    application: Application, client: Client, organization: Organization, stranger: Organization
) -> None:
    body = NEW | {"role": "practitioner", "practitioner_id": stranger.practitioner_id}
    async with client(organization.tokens["admin"]) as admin:
        answer = await admin.post(USERS, json=body)
        assert answer.status_code == 404
        assert answer.json()["field"] == "practitioner_id"
    async with client(stranger.tokens["admin"]) as other:
        assert (await other.post(USERS, json=NEW)).status_code == 201


async def test_an_equal_key_makes_one_user(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"], **{"Idempotency-Key": "once"}) as admin:
        first, second = [await admin.post(USERS, json=NEW) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(("change", "field"), [
    ({"password": "eleven char"}, "password"), ({"password": "x" * 201}, "password"),
    ({"email": "no address"}, "email"), ({"email": "ü@x.example"}, "email"), ({"email": "a@b@c"}, "email"),
    ({"role": "owner"}, "role"), ({"role": "practitioner"}, "practitioner_id"), ({"role": "patient"}, "patient_id"),
    ({"practitioner_id": ids.new()}, "practitioner_id"), ({"is_active": True}, "is_active"),
    ({"name": "x" * 201}, "name"), ({"organization_id": ids.new()}, "organization_id"),
])  # fmt: skip
async def test_what_is_no_user_is_not_understood(
    client: Client, organization: Organization, change: dict[str, Any], field: str
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        answer = await admin.post(USERS, json=NEW | change)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_users_are_listed_in_pages(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        page = (await admin.get(USERS, params={"page": 2, "page_size": 4})).json()
        assert (page["total"], page["total_pages"], len(page["items"])) == (6, 2, 2)
        only = (await admin.get(USERS, params={"role": "biller", "is_active": "true"})).json()
        assert [user["email"] for user in only["items"]] == [organization.emails["biller"]]
        assert (await admin.get(USERS, params={"page_size": 101})).status_code == 422


@pytest.mark.parametrize("changes", [
    {"role": "auditor"}, {"is_active": False}, {"password": "another password of theirs"},
])  # fmt: skip
async def test_what_a_token_stood_for_has_changed_so_it_ends(
    client: Client, organization: Organization, changes: dict[str, Any]
) -> None:
    pair = await sign_in(client, organization.emails["scheduler"])
    async with client(organization.tokens["admin"]) as admin, client(pair["access_token"]) as user:
        assert (await user.get("/api/v1/auth/me")).status_code == 200
        answer = await admin.patch(f"{USERS}/{organization.user_ids['scheduler']}", json=changes)
        assert answer.status_code == 200
        assert (await user.get("/api/v1/auth/me")).status_code == 401
        refreshed = await user.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
        assert refreshed.status_code == 401
        body = {"email": organization.emails["scheduler"], "password": changes.get("password", PASSWORD)}
        again = await user.post("/api/v1/auth/login", json=body)
    assert again.status_code == (401 if changes.get("is_active") is False else 200)


async def test_a_new_name_ends_no_session(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin, client(organization.tokens["biller"]) as user:
        answer = await admin.patch(f"{USERS}/{organization.user_ids['biller']}", json={"name": "B. Iller"})
        assert (answer.json()["name"], answer.json()["version"]) == ("B. Iller", 2)
        assert (await user.get("/api/v1/auth/me")).status_code == 200


@pytest.mark.parametrize("changes", [{"role": "auditor"}, {"is_active": False}])
async def test_nobody_changes_their_own_role(
    client: Client, organization: Organization, changes: dict[str, Any]
) -> None:
    me = f"{USERS}/{organization.user_ids['admin']}"
    async with client(organization.tokens["admin"]) as admin:
        answer = await admin.patch(me, json=changes)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await admin.patch(me.upper().replace(USERS.upper(), USERS), json=changes)).status_code == 403
        assert (await admin.patch(me, json={"role": "admin", "name": "Still me"})).status_code == 200
    for role, token in organization.tokens.items():
        if role != "admin":
            async with client(token) as user:
                mine = f"{USERS}/{organization.user_ids[role]}"
                assert (await user.patch(mine, json={"role": "admin"})).status_code == 403
                assert (await user.post(USERS, json=NEW | {"role": "admin"})).status_code == 403


async def test_a_practitioners_login_names_one(client: Client, organization: Organization) -> None:
    one = f"{USERS}/{organization.user_ids['biller']}"
    async with client(organization.tokens["admin"]) as admin:
        assert (await admin.patch(one, json={"role": "practitioner"})).status_code == 422
        named = {"role": "practitioner", "practitioner_id": organization.practitioner_id}
        assert (await admin.patch(one, json=named)).json()["practitioner_id"] == organization.practitioner_id
        back = (await admin.patch(one, json={"role": "biller"})).json()
    assert (back["role"], back["practitioner_id"]) == ("biller", None)


async def test_a_change_believes_in_a_version(client: Client, organization: Organization) -> None:
    one = f"{USERS}/{organization.user_ids['biller']}"
    async with client(organization.tokens["admin"]) as admin:
        stale = await admin.patch(one, json={"name": "x"}, headers={"If-Match": '"7"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
        assert (await admin.patch(one, json={"name": "x"}, headers={"If-Match": '"1"'})).status_code == 200


async def test_a_change_of_users_is_told_and_noted_without_names(
    application: Application, client: Client, organization: Organization
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        user = (await admin.post(USERS, json=NEW)).json()["id"]
        await admin.patch(f"{USERS}/{user}", json={"role": "biller", "password": "a new long password"})
    async with writing(application, organization.id) as connection:
        events = await connection.fetch("select kind, body from events where kind like 'user.%' order by seq")
        notes = await connection.fetch("select action, detail from audit order by batch_no, position")
    assert [event["kind"] for event in events] == ["user.created", "user.created", "user.changed"]
    told = " ".join(str(row) for row in (*events, *notes))
    assert "new.person" not in told.lower()
    assert "password" in notes[-1]["detail"]
    assert PASSWORD not in told
