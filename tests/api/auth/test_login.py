"""Signing in: who may, who may not, and how often one may be wrong."""

import asyncio

import pytest
from api.people import PASSWORD, Client, Organization, sign_in

from holdfast.settings import Settings

LOGIN = "/api/v1/auth/login"


async def test_a_user_signs_in_and_is_who_they_are(client: Client, organization: Organization) -> None:
    pair = await sign_in(client, organization.emails["practitioner"])
    assert pair["token_type"] == "bearer"
    assert pair["expires_in"] == 900
    async with client(pair["access_token"]) as user:
        answer = await user.get("/api/v1/auth/me")
    assert answer.json() == {
        "user_id": organization.user_ids["practitioner"], "organization_id": organization.id,
        "email": organization.emails["practitioner"], "role": "practitioner",
        "practitioner_id": organization.practitioner_id, "patient_ids": [],
    }  # fmt: skip
    assert answer.headers["as-of-seq"].isdigit()


async def test_a_patients_login_carries_the_patients(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["patient"]) as user:
        me = (await user.get("/api/v1/auth/me")).json()
    assert (me["patient_id"], me["patient_ids"]) == (organization.patient_id, [organization.patient_id])


async def test_the_case_of_an_address_does_not_matter(client: Client, organization: Organization) -> None:
    await sign_in(client, organization.emails["admin"].upper())


@pytest.mark.parametrize(
    "email", ["nobody@nowhere.example", "", "x", "admin@juniper.example'--", "Ä@ö.example"]
)
async def test_no_account_answers_like_a_wrong_password(
    client: Client, organization: Organization, email: str
) -> None:
    async with client() as nobody:
        wrong = await nobody.post(
            LOGIN, json={"email": organization.emails["admin"], "password": "not this one"}
        )
        unknown = await nobody.post(LOGIN, json={"email": email or "?", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["code"] == unknown.json()["code"] == "invalid_credentials"
    assert wrong.json()["detail"] == unknown.json()["detail"]


@pytest.mark.parametrize("body", [
    {}, {"email": "a@b"}, {"password": PASSWORD}, {"email": 1, "password": PASSWORD},
    {"email": "a@b", "password": None}, {"email": "a@b", "password": "x" * 1001},
    {"email": "x" * 255, "password": PASSWORD}, {"email": "a@b", "password": PASSWORD, "role": "admin"},
    {"email": "a@b\x00", "password": PASSWORD}, [], "x",
])  # fmt: skip
async def test_what_is_no_sign_in_is_not_understood(client: Client, body: object) -> None:
    async with client() as nobody:
        answer = await nobody.post(LOGIN, json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


async def test_five_failures_lock_account_and_address_together(
    client: Client, organization: Organization
) -> None:
    email = organization.emails["biller"]
    async with client(address="10.0.0.1") as here, client(address="10.0.0.2") as there:
        for _ in range(5):
            answer = await here.post(LOGIN, json={"email": email, "password": "wrong password"})
            assert answer.status_code == 401
        locked = await here.post(LOGIN, json={"email": email.upper(), "password": PASSWORD})
        assert locked.status_code == 429
        assert locked.json()["code"] == "rate_limited"
        assert 0 < int(locked.headers["retry-after"]) <= 900
        other = await here.post(LOGIN, json={"email": organization.emails["admin"], "password": PASSWORD})
        elsewhere = await there.post(LOGIN, json={"email": email, "password": PASSWORD})
    assert (other.status_code, elsewhere.status_code) == (200, 200)


async def test_success_clears_the_failures(client: Client, organization: Organization) -> None:
    email = organization.emails["biller"]
    async with client() as user:
        for _ in range(3):
            for _ in range(4):
                assert (
                    await user.post(LOGIN, json={"email": email, "password": "wrong one"})
                ).status_code == 401
            assert (await user.post(LOGIN, json={"email": email, "password": PASSWORD})).status_code == 200


async def test_many_wrong_tries_at_once_are_still_five(client: Client, organization: Organization) -> None:
    body = {"email": organization.emails["biller"], "password": "wrong password"}
    async with client() as user:
        answers = await asyncio.gather(*(user.post(LOGIN, json=body) for _ in range(15)))
    assert sorted(a.status_code for a in answers) == [401] * 5 + [429] * 10


async def test_many_right_ones_at_once_all_sign_in(client: Client, organization: Organization) -> None:
    body = {"email": organization.emails["biller"], "password": PASSWORD}
    async with client() as user:
        answers = await asyncio.gather(*(user.post(LOGIN, json=body) for _ in range(12)))
    assert {a.status_code for a in answers} == {200}


async def test_no_password_and_no_token_is_logged(
    client: Client, organization: Organization, capfd: pytest.CaptureFixture[str], settings: Settings
) -> None:
    pair = await sign_in(client, organization.emails["admin"])
    async with client() as nobody:
        await nobody.post(LOGIN, json={"email": organization.emails["admin"], "password": "a wrong password"})
        await nobody.post(
            LOGIN, json={"email": organization.emails["admin"], "password": ["a wrong password"]}
        )
        for _ in range(2):
            await nobody.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    async with client(pair["access_token"]) as user:
        await user.get("/api/v1/auth/me")
    said = "".join(capfd.readouterr())
    assert "sign_in_failed" in said
    for secret in (
        PASSWORD,
        "a wrong password",
        *pair.values(),
        settings.secret_key,
        organization.emails["admin"],
    ):
        if len(str(secret)) > 8:
            assert str(secret) not in said
