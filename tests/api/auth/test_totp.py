"""The second factor: enrolled by a code, asked for at sign-in, good once, removed by its owner or reset by an admin."""

import asyncio
import time
from typing import Any

import httpx2
import pyotp
import pytest
from api.people import PASSWORD, Client, Organization, sign_in, writing
from api.second_factor import CONFIRM, TOTP, code_of, enrolled, forget_codes, wrong_code

from holdfast.app import Application
from holdfast.settings import Settings

AUTH = "/api/v1/auth"
CLINICS = "/api/v1/clinics"
USERS = "/api/v1/users"
ORGANIZATION = "/api/v1/organization"
DOORS = (f"{AUTH}/login", f"{AUTH}/session")


async def knock(client: Client, email: str, door: str = DOORS[0], **more: Any) -> httpx2.Response:
    address = more.pop("address", "127.0.0.1")
    async with client(address=address) as nobody:
        return await nobody.post(door, json={"email": email, "password": PASSWORD} | more)


def said(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize("door", DOORS)
async def test_sign_in_asks_for_the_code_once_one_is_enrolled(
    application: Application, client: Client, organization: Organization, door: str
) -> None:
    email = organization.emails["biller"]
    secret = await enrolled(client, organization.tokens["biller"])
    await forget_codes(application, organization)
    assert said(await knock(client, email, door)) == (401, "totp_required")
    assert said(await knock(client, email, door, totp=None)) == (401, "totp_required")
    assert said(await knock(client, email, door, totp=wrong_code(secret))) == (401, "invalid_credentials")
    assert said(await knock(client, email, door, totp="abcdef")) == (401, "invalid_credentials")
    right = code_of(secret)
    assert (await knock(client, email, door, totp=f"{right[:3]} {right[3:]}")).status_code == 200
    assert said(await knock(client, email, door, totp=right)) == (401, "invalid_credentials"), "used"
    later = pyotp.TOTP(secret).at(int(time.time()) + 30)
    assert (await knock(client, email, door, totp=later)).status_code == 200
    assert said(await knock(client, email, door, totp=right)) == (401, "invalid_credentials"), "older"


async def test_nobody_else_is_asked(client: Client, organization: Organization) -> None:
    await enrolled(client, organization.tokens["biller"])
    await sign_in(client, organization.emails["scheduler"])
    assert (await knock(client, organization.emails["scheduler"], totp="000000")).status_code == 200


async def test_the_code_that_enrolled_is_used(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["biller"]) as user:
        code = code_of((await user.post(TOTP)).json()["secret"])
        assert (await user.post(CONFIRM, json={"code": code})).status_code == 204
    assert said(await knock(client, organization.emails["biller"], totp=code)) == (401, "invalid_credentials")


async def test_a_wrong_password_uses_no_code(
    application: Application, client: Client, organization: Organization
) -> None:
    email = organization.emails["biller"]
    secret = await enrolled(client, organization.tokens["biller"])
    await forget_codes(application, organization)
    code = code_of(secret)
    wrong = await knock(client, email, password="a wrong password", totp=code)
    assert said(wrong) == (401, "invalid_credentials")
    assert (await knock(client, email, totp=code)).status_code == 200


async def test_wrong_codes_count_like_wrong_passwords(client: Client, organization: Organization) -> None:
    """A password without its code in between neither counts nor clears."""
    email = organization.emails["biller"]
    secret = await enrolled(client, organization.tokens["biller"])
    for _ in range(5):
        assert said(await knock(client, email)) == (401, "totp_required")
        assert said(await knock(client, email, totp=wrong_code(secret))) == (401, "invalid_credentials")
    assert said(await knock(client, email)) == (429, "rate_limited")
    assert said(await knock(client, email, address="10.0.0.9")) == (401, "totp_required")


async def test_of_equal_codes_at_once_one_signs_in(
    application: Application, client: Client, organization: Organization
) -> None:
    """From addresses of their own, since tries from one wait for each other."""
    secret = await enrolled(client, organization.tokens["biller"])
    await forget_codes(application, organization)
    code = code_of(secret)
    answers = await asyncio.gather(*(
        knock(client, organization.emails["biller"], DOORS[n % 2], totp=code, address=f"10.0.0.{n}") for n in range(8)
    ))  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_what_is_only_shown_is_not_asked_for(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["biller"]) as user:
        assert (await user.post(CONFIRM, json={"code": "123456"})).status_code == 404
        first, second = [(await user.post(TOTP)).json() for _ in range(2)]
        assert first["secret"] != second["secret"]
        assert second["otpauth_uri"].startswith("otpauth://totp/Holdfast:biller%40juniper.example?")
        assert f"secret={second['secret']}" in second["otpauth_uri"]
        await sign_in(client, organization.emails["biller"])
        for code in (code_of(first["secret"]), "12345", "1234567", "½½½½½½", "١٢٣٤٥٦"):
            wrong = await user.post(CONFIRM, json={"code": code})
            assert wrong.status_code == 422
            assert [error["field"] for error in wrong.json()["errors"]] == ["code"]
        assert (await user.get(TOTP)).json() == {"is_enrolled": False, "is_required": False}
        assert (await user.post(CONFIRM, json={"code": code_of(second["secret"])})).status_code == 204
        assert (await user.get(TOTP)).json() == {"is_enrolled": True, "is_required": False}
        for again in (
            await user.post(TOTP),
            await user.post(CONFIRM, json={"code": code_of(second["secret"])}),
        ):
            assert said(again) == (409, "totp_enrolled")


async def test_an_equal_key_is_not_told_the_secret_again(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["biller"]) as user:
        secrets = [
            (await user.post(TOTP, headers={"Idempotency-Key": "one"})).json()["secret"] for _ in range(2)
        ]
    assert secrets[0] != secrets[1]


async def test_it_is_removed_by_a_code_or_the_password(
    application: Application, client: Client, organization: Organization
) -> None:
    email = organization.emails["biller"]
    async with client(organization.tokens["biller"]) as user:
        assert (await user.request("DELETE", TOTP, json={"password": PASSWORD})).status_code == 404
        for by_code in (True, False):
            secret = await enrolled(client, organization.tokens["biller"])
            await forget_codes(application, organization)
            for unclear in ({}, {"code": "123456", "password": PASSWORD}):
                assert (await user.request("DELETE", TOTP, json=unclear)).status_code == 422
            for wrong in ({"code": wrong_code(secret)}, {"password": "a wrong password"}):
                refused = await user.request("DELETE", TOTP, json=wrong)
                assert said(refused) == (401, "invalid_credentials")
                assert refused.json()["field"] in wrong
            proof = {"code": code_of(secret)} if by_code else {"password": PASSWORD}
            assert (await user.request("DELETE", TOTP, json=proof)).status_code == 204
            await sign_in(client, email)


async def test_removing_it_cannot_be_tried_for_ever(client: Client, organization: Organization) -> None:
    secret = await enrolled(client, organization.tokens["biller"])
    async with client(organization.tokens["biller"]) as user:
        for _ in range(5):
            refused = await user.request("DELETE", TOTP, json={"code": wrong_code(secret)})
            assert said(refused) == (401, "invalid_credentials")
        assert said(await user.request("DELETE", TOTP, json={"password": PASSWORD})) == (429, "rate_limited")


async def test_an_admin_resets_somebody_elses_and_ends_their_sessions(
    client: Client, organization: Organization, stranger: Organization
) -> None:
    await enrolled(client, organization.tokens["biller"])
    await enrolled(client, organization.tokens["admin"])
    biller, own = (f"{USERS}/{organization.user_ids[role]}" for role in ("biller", "admin"))
    async with client(organization.tokens["admin"]) as admin:
        before = (await admin.get(biller)).json()
        assert before["totp_enrolled"] is True
        assert said(await admin.delete(f"{own}/totp")) == (403, "forbidden")
        foreign = await admin.delete(f"{USERS}/{stranger.user_ids['biller']}/totp")
        assert said(foreign) == (404, "not_found")
        assert (await admin.delete(f"{biller}/totp")).status_code == 204
        after = (await admin.get(biller)).json()
        assert (after["totp_enrolled"], after["version"]) == (False, before["version"] + 1)
        assert (await admin.delete(f"{biller}/totp")).status_code == 204, "nothing is left to do"
        assert (await admin.get(biller)).json() == after
        listed = {each["email"]: each["totp_enrolled"] for each in (await admin.get(USERS)).json()["items"]}
        assert [email for email, is_enrolled in listed.items() if is_enrolled] == [
            organization.emails["admin"]
        ]
    async with client(organization.tokens["biller"]) as user:
        assert said(await user.get(TOTP)) == (401, "invalid_token")
    await sign_in(client, organization.emails["biller"])


async def test_each_step_is_in_the_audit(
    application: Application, client: Client, organization: Organization
) -> None:
    for proof in ("password", "reset"):
        token = (await sign_in(client, organization.emails["biller"]))["access_token"]
        await enrolled(client, token)
        if proof == "password":
            async with client(token) as user:
                assert (await user.request("DELETE", TOTP, json={"password": PASSWORD})).status_code == 204
    async with client(organization.tokens["admin"]) as admin:
        assert (await admin.delete(f"{USERS}/{organization.user_ids['biller']}/totp")).status_code == 204
    async with writing(application, organization.id) as connection:
        rows = await connection.fetch(
            "select action, actor_id, subject_id from audit where organization_id = $1 and action like 'totp.%'"
            " order by batch_no, position",
            organization.id,
        )
    kinds = ["begun", "enrolled", "removed", "begun", "enrolled", "reset"]
    assert [row["action"] for row in rows] == [f"totp.{kind}" for kind in kinds]
    assert {str(row["subject_id"]) for row in rows} == {organization.user_ids["biller"]}
    assert str(rows[-1]["actor_id"]) == organization.user_ids["admin"]


async def test_the_secret_is_nowhere_in_clear(
    application: Application, client: Client, organization: Organization, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = await enrolled(client, organization.tokens["biller"])
    wrong = wrong_code(secret)
    await knock(client, organization.emails["biller"], totp=wrong)
    async with writing(application, organization.id) as connection:
        kept = []
        for table in ("totp_factors", "events", "audit", "idempotency_keys", "denials", "users"):
            rows = await connection.fetch(
                f"select * from {table} where organization_id = $1", organization.id
            )
            kept += [value for row in rows for value in row.values()]
    assert kept
    assert not [value for value in kept if isinstance(value, bytes) and secret.encode() in value]
    logged = "".join(capfd.readouterr())
    assert "sign_in_failed" in logged
    assert secret not in logged + repr(kept)
    assert wrong not in logged


async def require(client: Client, organization: Organization, *, on: bool = True) -> None:
    async with client(organization.tokens["admin"]) as admin:
        answer = await admin.patch(ORGANIZATION, json={"settings": {"require_totp_for_admins": on}})
        assert answer.status_code == 200, answer.text
        assert answer.json()["settings"]["require_totp_for_admins"] is on


async def test_an_admin_who_must_have_one_reaches_only_auth_until_then(
    client: Client, organization: Organization, settings: Settings
) -> None:
    await require(client, organization)
    for role, status in (("scheduler", 200), ("auditor", 200), ("admin", 403)):
        async with client(organization.tokens[role]) as user:
            assert (await user.get(CLINICS)).status_code == status, role
            assert (await user.get(ORGANIZATION)).status_code == status, role
    token = (await sign_in(client, organization.emails["admin"]))["access_token"]
    async with client(token) as admin:
        for method, path in (
            ("GET", CLINICS), ("GET", "/api/v1/calendar/events"), ("PATCH", ORGANIZATION), ("GET", USERS),
        ):  # fmt: skip
            assert said(await admin.request(method, path)) == (403, "totp_enrolment_required")
        assert (await admin.get(f"{AUTH}/me")).json()["must_enrol_totp"] is True
        assert (await admin.get(TOTP)).json() == {"is_enrolled": False, "is_required": True}
    other = Application(settings)
    async with other.running():  # another process, which has seen the admin without one
        transport: Any = httpx2.ASGITransport(other)  # type: ignore[arg-type]
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://other.test", headers=headers
        ) as there:
            assert said(await there.get(CLINICS)) == (403, "totp_enrolment_required")
            await enrolled(client, token)
            assert (await there.get(CLINICS)).status_code == 200
    async with client(token) as admin:
        assert (await admin.get(CLINICS)).status_code == 200
        assert "must_enrol_totp" not in (await admin.get(f"{AUTH}/me")).json()
        assert (await admin.request("DELETE", TOTP, json={"password": PASSWORD})).status_code == 204
        assert said(await admin.get(CLINICS)) == (403, "totp_enrolment_required")


async def test_a_page_of_an_admin_is_closed_likewise(client: Client, organization: Organization) -> None:
    await require(client, organization)
    opened = await knock(client, organization.emails["admin"], DOORS[1])
    assert opened.status_code == 200
    assert opened.json()["must_enrol_totp"] is True
    headers = {
        "Cookie": opened.headers["set-cookie"].partition(";")[0],
        "X-CSRF-Token": opened.json()["csrf_token"],
    }
    async with client(**headers) as page:
        assert said(await page.get(CLINICS)) == (403, "totp_enrolment_required")
        secret = (await page.post(TOTP)).json()["secret"]
        assert (await page.post(CONFIRM, json={"code": code_of(secret)})).status_code == 204
        assert (await page.get(CLINICS)).status_code == 200


async def test_whoever_has_one_may_ask_it_of_all_admins(client: Client, organization: Organization) -> None:
    await enrolled(client, organization.tokens["admin"])
    await require(client, organization)
    await require(client, organization, on=False)
