"""The page's session: a cookie that no script can read, a csrf token with every change, an end when nobody is there."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from api.people import PASSWORD, Client, Organization, sign_in, writing

from holdfast.app import Application
from holdfast.commands.tokens import Tokens

SESSION = "/api/v1/auth/session"
ME = "/api/v1/auth/me"
CLINICS = "/api/v1/clinics"
CLINIC = {"name": "Front Desk", "time_zone": "UTC"}


async def opened(client: Client, email: str, password: str = PASSWORD) -> httpx2.Response:
    async with client() as nobody:
        return await nobody.post(SESSION, json={"email": email, "password": password})


def cookie_of(answer: httpx2.Response) -> str:
    """`name=value`, as a browser sends it back."""
    return answer.headers["set-cookie"].partition(";")[0]


@asynccontextmanager
async def page(client: Client, organization: Organization, role: str = "admin") -> AsyncIterator[Any]:
    """A signed-in page and its csrf token, which it does not send by itself."""
    answer = await opened(client, organization.emails[role])
    assert answer.status_code == 200, answer.text
    async with client(Cookie=cookie_of(answer)) as user:
        yield user, {"X-CSRF-Token": answer.json()["csrf_token"]}


async def test_a_page_signs_in_and_is_who_it_is(client: Client, organization: Organization) -> None:
    answer = await opened(client, organization.emails["practitioner"])
    async with client(organization.tokens["practitioner"]) as user:
        me = (await user.get(ME)).json()
    said = answer.json()
    csrf_token = said.pop("csrf_token")
    assert said == me
    async with client(Cookie=f"theme=dark; {cookie_of(answer)}; other=1") as user:
        assert (await user.get(ME)).json() == me
        again = await user.get(SESSION)
    assert again.json() == me | {"csrf_token": csrf_token}
    assert again.headers["as-of-seq"].isdigit()


async def test_the_cookie_is_for_this_host_and_no_script(client: Client, organization: Organization) -> None:
    answer = await opened(client, organization.emails["admin"])
    pair, *attributes = answer.headers["set-cookie"].split("; ")
    assert re.fullmatch(r"__Host-holdfast_session=hfc_[A-Za-z0-9_-]{112}", pair)
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]
    assert pair.partition("=")[2] not in answer.text


async def test_only_a_hash_of_the_cookie_is_kept(
    application: Application, client: Client, organization: Organization
) -> None:
    secret = cookie_of(await opened(client, organization.emails["admin"])).partition("=")[2]
    async with writing(application, organization.id) as connection:
        rows = await connection.fetch("select s::text as row from sign_in_sessions s")
    assert rows
    assert not [row for row in rows if secret in row["row"] or secret.encode().hex() in row["row"]]
    assert application.house is not None
    assert secret.encode() not in application.house.identity.pages


async def test_no_secret_of_a_page_is_logged(
    client: Client, organization: Organization, capfd: pytest.CaptureFixture[str]
) -> None:
    async with page(client, organization) as (user, csrf):
        assert (await user.post(CLINICS, json=CLINIC, headers={"X-CSRF-Token": "wrong"})).status_code == 403
        cookie = user.headers["cookie"].partition("=")[2]
    said = "".join(capfd.readouterr())
    assert "csrf_failed" in said
    assert cookie not in said
    assert csrf["X-CSRF-Token"] not in said


async def test_a_change_needs_the_csrf_token(client: Client, organization: Organization) -> None:
    async with page(client, organization) as (user, csrf), page(client, organization) as (_, others):
        token = csrf["X-CSRF-Token"]
        for wrong in ({}, *({"X-CSRF-Token": text} for text in (
            "", "x", token[:-1], token + "A", token.swapcase(), others["X-CSRF-Token"], f'"{token}"',
        ))):  # fmt: skip
            for method, path in (("POST", CLINICS), ("PATCH", "/api/v1/organization"), ("DELETE", SESSION)):
                body = None if method == "DELETE" else CLINIC
                answer = await user.request(method, path, json=body, headers=wrong)
                assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed"), (method, wrong)
        assert (await user.get(CLINICS)).json()["items"] == []
        assert (await user.head(CLINICS)).status_code == 200
        assert (await user.post(CLINICS, json=CLINIC, headers=csrf)).status_code == 201


async def test_a_tokens_change_needs_none(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as user:
        assert (await user.post(CLINICS, json=CLINIC)).status_code == 201


async def test_the_header_counts_before_the_cookie(client: Client, organization: Organization) -> None:
    async with page(client, organization) as (user, csrf):
        header = {"Authorization": f"Bearer {organization.tokens['biller']}"}
        assert (await user.get(ME, headers=header)).json()["role"] == "biller"
        assert (await user.post("/api/v1/payers", json={"name": "P"}, headers=header)).status_code == 201
        for bad in ("Bearer nonsense", "", user.headers["cookie"].partition("=")[2]):
            assert (await user.get(ME, headers=csrf | {"Authorization": bad})).status_code == 401, bad


async def test_the_cookies_secret_is_no_token(client: Client, organization: Organization) -> None:
    secret = cookie_of(await opened(client, organization.emails["admin"])).partition("=")[2]
    async with client(secret) as user:
        assert (await user.get(ME)).status_code == 401
        refreshed = await user.post("/api/v1/auth/refresh", json={"refresh_token": secret})
    assert (refreshed.status_code, refreshed.json()["code"]) == (401, "invalid_token")
    pair = await sign_in(client, organization.emails["admin"])
    for text in (pair["refresh_token"], pair["access_token"], "hfc_" + pair["refresh_token"][4:]):
        async with client(Cookie=f"__Host-holdfast_session={text}") as user:
            assert (await user.get(ME)).json()["code"] == "invalid_token"


async def test_signing_out_ends_the_session_and_clears_the_cookie(
    client: Client, organization: Organization
) -> None:
    async with page(client, organization) as (user, csrf), page(client, organization) as (other, _):
        answer = await user.delete(SESSION, headers=csrf)
        assert answer.status_code == 204
        assert answer.headers["set-cookie"].startswith("__Host-holdfast_session=; Max-Age=0; Path=/; Secure")
        gone = await user.get(ME)
        assert (gone.status_code, gone.json()["code"]) == (401, "invalid_token")
        assert "www-authenticate" in gone.headers
        assert (await other.get(ME)).status_code == 200, "another page of the same user stays"


def _flip(text: str, at: int) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


@pytest.mark.parametrize("change", [
    lambda s: s[:-1], lambda s: s + "A", lambda _: "", lambda _: "hfc_" + "A" * 112, lambda s: f'"{s}"',
    lambda s: _flip(s, 8), lambda s: _flip(s, 30), lambda s: _flip(s, 60), lambda s: _flip(s, len(s) - 1),
    lambda s: f"{s}; __Host-holdfast_session={s}", lambda s: "\u00e4" * len(s), lambda _: "x" * 60_000,
])  # fmt: skip
async def test_what_is_not_the_cookie_is_refused(
    client: Client, organization: Organization, change: Any
) -> None:
    name, _, secret = cookie_of(await opened(client, organization.emails["admin"])).partition("=")
    async with client() as user:
        good = await user.get(ME, headers={"Cookie": f"{name}={secret}"})
        assert good.status_code == 200
        bad = await user.get(ME, headers={b"Cookie": f"{name}={change(secret)}".encode("latin-1")})
    assert (bad.status_code, bad.json()["code"]) == (401, "invalid_token")


async def test_another_name_is_no_cookie_of_ours(client: Client, organization: Organization) -> None:
    secret = cookie_of(await opened(client, organization.emails["admin"])).partition("=")[2]
    for name in ("holdfast_session", "__host-holdfast_session", "x__Host-holdfast_session", ""):
        async with client(Cookie=f"{name}={secret}") as user:
            assert (await user.get(ME)).json()["code"] == "unauthenticated"


async def test_a_secret_that_is_not_the_kept_one_is_refused(
    application: Application, client: Client, organization: Organization
) -> None:
    """Even a cookie with our own seal, of a live session, counts only if its hash is the stored one."""
    assert application.house is not None
    tokens: Tokens = application.house.identity.tokens
    real = tokens.cookie_read(cookie_of(await opened(client, organization.emails["admin"])).partition("=")[2])
    assert real is not None
    text, _ = tokens.cookie(real.organization_id, real.session_id, real.version)
    async with client(Cookie=f"__Host-holdfast_session={text}") as user:
        assert (await user.get(ME)).json()["code"] == "invalid_token"


async def aged(application: Application, organization: Organization, column: str, minutes: float) -> None:
    """The organization's sessions as they will be in so many minutes, and nothing remembered of them here."""
    async with writing(application, organization.id) as connection:
        await connection.execute(
            f"update sign_in_sessions set {column} = {column} - make_interval(secs => $1)",
            minutes * 60,
        )
    forgotten(application, minutes * 60)


def forgotten(application: Application, seconds: float = 60.0) -> None:
    assert application.house is not None
    for known in application.house.identity.pages.values():
        known.good_until -= seconds
        known.noted_until -= seconds


async def test_an_idle_page_is_signed_out_and_a_used_one_is_not(
    application: Application, client: Client, organization: Organization
) -> None:
    async with page(client, organization) as (user, csrf):
        for _ in range(3):  # used every 29 minutes
            assert (await user.get(ME)).status_code == 200
            await aged(application, organization, "used_at", 29)
        assert (await user.post(CLINICS, json=CLINIC, headers=csrf)).status_code == 201
        await aged(application, organization, "used_at", 30.1)
        for _ in range(2):
            idle = await user.post(CLINICS, json=CLINIC, headers=csrf)
            assert (idle.status_code, idle.json()["code"]) == (401, "session_idle")
            assert "www-authenticate" in idle.headers
    async with client(organization.tokens["admin"]) as bearer:
        assert (await bearer.get(ME)).status_code == 200, "tokens have a life of their own"


async def test_live_updates_are_no_use(
    application: Application, client: Client, organization: Organization
) -> None:
    """An open calendar looks whether it may still read; that keeps nobody signed in who has gone home."""
    stream = {"Accept": "text/event-stream"}
    async with page(client, organization) as (user, _):
        for _ in range(2):
            await aged(application, organization, "used_at", 14)
            assert (await user.get(ME, headers=stream)).status_code == 200
        await aged(application, organization, "used_at", 3)
        assert (await user.get(ME, headers=stream)).json()["code"] == "session_idle"
    async with page(client, organization) as (user, _):
        for _ in range(2):
            await aged(application, organization, "used_at", 16)
            assert (await user.get(ME, headers=stream)).status_code == 200
            assert (await user.get(ME)).status_code == 200, "a stream's look hides no use"


async def test_a_session_ends_though_it_is_used(
    application: Application, client: Client, organization: Organization
) -> None:
    async with page(client, organization) as (user, _):
        await aged(application, organization, "expires_at", 12 * 60 - 1)
        assert (await user.get(ME)).status_code == 200
        await aged(application, organization, "expires_at", 2)
        assert (await user.get(ME)).json()["code"] == "invalid_token"


async def test_a_page_revoked_elsewhere_ends_here_within_the_recheck(
    application: Application, client: Client, organization: Organization
) -> None:
    assert application.house is not None
    async with page(client, organization) as (user, _):
        assert (await user.get(ME)).status_code == 200
        async with writing(application, organization.id) as connection:  # as another process would
            await connection.execute(
                "update sign_in_sessions set revoked_at = now(), revoked_because = 'admin' where cookie_hash is not null"
            )
        assert (await user.get(ME)).status_code == 200, "known for session_recheck_seconds"
        forgotten(application, application.house.settings.session_recheck_seconds)
        assert (await user.get(ME)).json()["code"] == "invalid_token"


async def test_deactivation_ends_pages_at_once(client: Client, organization: Organization) -> None:
    async with page(client, organization, "biller") as (user, _), page(client, organization) as (admin, csrf):
        assert (await user.get(ME)).status_code == 200
        path = f"/api/v1/users/{organization.user_ids['biller']}"
        assert (await admin.patch(path, json={"is_active": False}, headers=csrf)).status_code == 200
        assert (await user.get(ME)).status_code == 401
        assert (await admin.get(ME)).status_code == 200


async def test_a_cookie_of_an_older_password_is_refused(
    application: Application, client: Client, organization: Organization
) -> None:
    """A sign-in that was under way while the password changed leaves a session that nobody revoked."""
    async with page(client, organization, "biller") as (user, _):
        assert (await user.get(ME)).status_code == 200
        async with writing(application, organization.id) as connection:
            await connection.execute(
                "update users set session_version = session_version + 1 where id = $1",
                organization.user_ids["biller"],
            )
        forgotten(application)
        assert (await user.get(ME)).json()["code"] == "invalid_token"


async def test_five_failures_lock_pages_and_tokens_alike(client: Client, organization: Organization) -> None:
    email = organization.emails["biller"]
    unknown = await opened(client, "nobody@nowhere.example")
    for path in (SESSION, SESSION, SESSION, "/api/v1/auth/login", "/api/v1/auth/login"):
        async with client() as nobody:
            wrong = await nobody.post(path, json={"email": email, "password": "wrong password"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
        assert wrong.json()["detail"] == unknown.json()["detail"]
        assert "set-cookie" not in wrong.headers
    locked = await opened(client, email)
    assert (locked.status_code, locked.json()["code"]) == (429, "rate_limited")
    assert 0 < int(locked.headers["retry-after"]) <= 900


async def test_a_form_of_a_foreign_site_signs_nobody_in(client: Client, organization: Organization) -> None:
    body = f'{{"email": "{organization.emails["admin"]}", "password": "{PASSWORD}"}}'
    async with client() as nobody:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = await nobody.post(SESSION, content=body, headers={"Content-Type": kind})
            assert answer.status_code == 415
            assert "set-cookie" not in answer.headers


async def test_a_known_cookie_asks_the_database_nothing(
    client: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with page(client, organization) as (user, _):
        assert (await user.get(ME)).status_code == 200
        monkeypatch.setattr("holdfast.api.page_cookie.resolve_page", None)
        assert (await user.get(ME)).status_code == 200
