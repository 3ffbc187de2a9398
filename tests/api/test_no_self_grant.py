"""The chain "register as admin, grant oneself access to another organization's patient": each step is impossible, and
each test is named for the law that rules it out. A stranger is another organization with a patient, an open request of
its own practitioner, and an admin with a second factor.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest
from api.auth.test_tokens import KINDS, the_forge
from api.people import PASSWORD, Client, Organization, sign_in, writing
from api.second_factor import code_of, enrolled, forget_codes

from holdfast import ids
from holdfast.app import Application
from holdfast.commands.setup import hashed
from holdfast.settings import Settings

API = "/api/v1"
GLASS = f"{API}/break-glass"
WHY = "I would like to read this patient's records"


@dataclass
class Attack:
    """The attacker is whoever may most: an admin of their own organization, with a second factor."""

    application: Application
    client: Client
    own: Organization
    foreign: Organization
    secret: str
    foreign_secret: str

    def by(self, role: str = "admin") -> httpx2.AsyncClient:
        return self.client(self.own.tokens[role])

    async def code(self) -> dict[str, str]:
        """A good code of the attacker's own second factor, as the body of an approval."""
        await forget_codes(self.application, self.own)
        return {"totp": code_of(self.secret)}

    async def foreign_is_untouched(self) -> bool:
        """Nothing is open in the foreign organization, and nobody came to it."""
        async with writing(self.application, self.foreign.id) as connection:
            row = await connection.fetchrow(
                "select (select count(*) from users where organization_id = $1) as users,"
                " (select count(*) from break_glass_requests where organization_id = $1) as requests,"
                " (select count(*) from break_glass_requests where organization_id = $1"
                "    and (approved_at is not null or ended_as is not null)) as touched,"
                " (select count(*) from break_glass_uses where organization_id = $1) as uses",
                self.foreign.id,
            )  # fmt: skip
        return tuple(row.values()) == (6, 1, 0, 0)


@pytest.fixture
async def attack(
    application: Application, client: Client, nouns: tuple[Organization, Organization]
) -> AsyncIterator[Attack]:
    secrets = [await enrolled(client, each.tokens["admin"]) for each in nouns]
    prepared = Attack(application, client, *nouns, *secrets)
    yield prepared
    assert await prepared.foreign_is_untouched()


def said(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize(
    "path",
    ["auth/register", "auth/signup", "register", "signup", "users/register", "organizations", "auth/users"],
)
async def test_there_is_no_public_registration(attack: Attack, path: str) -> None:
    body = {"email": "mallory@attacker.example", "password": PASSWORD, "role": "admin"}
    async with attack.client() as nobody:
        assert said(await nobody.post(f"{API}/{path}", json=body))[0] in {404, 405}
        assert said(await nobody.post(f"{API}/users", json=body)) == (401, "unauthenticated")
        login = await nobody.post(f"{API}/auth/login", json={"email": body["email"], "password": PASSWORD})
    assert said(login) == (401, "invalid_credentials")


async def test_an_installation_in_use_takes_no_first_admin(attack: Attack) -> None:
    """Not even with the token that the server printed when it was empty."""
    house, token = attack.application.house, "hfs_a-token-that-was-printed-when-it-was-empty"
    assert house is not None
    house.settings = msgspec.structs.replace(house.settings, setup_token_sha256=hashed(token))
    body = {"token": token, "name": "Mine", "time_zone": "UTC", "admin_email": "mallory@attacker.example",
            "admin_password": PASSWORD}  # fmt: skip
    async with attack.client() as nobody:
        assert said(await nobody.post(f"{API}/setup", json=body)) == (409, "already_set_up")
        operator = await nobody.post(f"{API}/operator/organizations", json=body)
        assert 400 <= operator.status_code < 500


@pytest.mark.parametrize("field", ["role", "organization_id", "user_id", "patient_ids"])
async def test_signing_in_says_who_one_is_and_nothing_else(attack: Attack, field: str) -> None:
    own = attack.own
    body = {"email": own.emails["scheduler"], "password": PASSWORD}
    pair = await sign_in(attack.client, own.emails["scheduler"])
    value = {"role": "admin", "organization_id": attack.foreign.id}.get(field, attack.foreign.patient_id)
    async with attack.client(pair["access_token"]) as user:
        for path, good in (
            ("login", body), ("session", body), ("refresh", {"refresh_token": pair["refresh_token"]}),
        ):  # fmt: skip
            answer = await user.post(f"{API}/auth/{path}", json=good | {field: value})
            assert said(answer) == (422, "invalid_request"), path
            assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, "unknown_field")]
        assert said(await user.get(f"{API}/auth/me", params={field: value})) == (422, "invalid_request")
        me = (await user.get(f"{API}/auth/me")).json()
    assert (me["role"], me["organization_id"]) == ("scheduler", own.id)


@pytest.mark.parametrize("role", ["scheduler", "practitioner", "biller", "patient", "auditor"])
async def test_only_admins_make_or_change_users(attack: Attack, role: str) -> None:
    own = attack.own
    async with attack.by(role) as user:
        body = {"email": "mallory@attacker.example", "password": PASSWORD, "role": "admin"}
        assert said(await user.post(f"{API}/users", json=body)) == (403, "forbidden")
        changed = await user.patch(f"{API}/users/{own.user_ids[role]}", json={"role": "admin"})
        assert said(changed) == (403, "forbidden")
        assert (await user.get(f"{API}/auth/me")).json()["role"] == role


async def test_nobody_sets_their_own_role(attack: Attack) -> None:
    async with attack.by() as admin:
        changed = await admin.patch(f"{API}/users/{attack.own.user_ids['admin']}", json={"role": "auditor"})
    assert said(changed) == (403, "forbidden")


async def test_an_admins_users_are_of_their_own_organization(attack: Attack) -> None:
    body = {"email": "mallory@attacker.example", "password": PASSWORD, "role": "admin"}
    async with attack.by() as admin:
        named = await admin.post(f"{API}/users", json=body | {"organization_id": attack.foreign.id})
        assert said(named) == (422, "invalid_request")
        for fields in (
            {"role": "practitioner", "practitioner_id": attack.foreign.practitioner_id},
            {"role": "patient", "patient_id": attack.foreign.patient_id},
            {"role": "patient", "contact_id": attack.foreign.made["contacts"]},
        ):
            assert said(await admin.post(f"{API}/users", json=body | fields)) == (404, "not_found")
        for role, user in attack.foreign.user_ids.items():
            taken = await admin.patch(f"{API}/users/{user}", json={"password": "a password of the attacker"})
            assert said(taken) == (404, "not_found"), role
        assert (await admin.post(f"{API}/users", json=body)).status_code == 201
    pair = await sign_in(attack.client, body["email"])
    async with attack.client(pair["access_token"]) as mallory:
        assert (await mallory.get(f"{API}/auth/me")).json()["organization_id"] == attack.own.id
        assert said(await mallory.get(f"{API}/patients/{attack.foreign.patient_id}")) == (404, "not_found")


async def test_a_request_is_for_a_patient_of_ones_own_organization(attack: Attack) -> None:
    """Another's answers like a random id; whose request it is cannot be said."""
    async with attack.by("practitioner") as user:
        body = {"minutes": 30, "justification": WHY}
        foreign = await user.post(GLASS, json=body | {"patient_id": attack.foreign.patient_id})
        random = await user.post(GLASS, json=body | {"patient_id": ids.new()})
        assert [said(each) for each in (foreign, random)] == [(404, "not_found")] * 2
        assert foreign.json()["field"] == random.json()["field"] == "patient_id"
        for field in ("user_id", "organization_id", "approved_by", "status"):
            planted = body | {"patient_id": attack.own.patient_id, field: attack.foreign.id}
            answer = await user.post(GLASS, json=planted)
            assert [error["code"] for error in answer.json()["errors"]] == ["unknown_field"], field


@pytest.mark.parametrize("role", ["biller", "patient", "auditor"])
async def test_who_reads_everything_or_only_themselves_asks_for_nothing(attack: Attack, role: str) -> None:
    body = {"patient_id": attack.own.patient_id, "minutes": 30, "justification": WHY}
    async with attack.by(role) as user:
        assert said(await user.post(GLASS, json=body)) == (403, "forbidden")


async def test_another_organizations_request_cannot_be_approved_revoked_or_read(attack: Attack) -> None:
    glass = f"{GLASS}/{attack.foreign.made['break-glass']}"
    async with attack.by() as admin:
        assert said(await admin.post(f"{glass}/approve", json=await attack.code())) == (404, "not_found")
        assert said(await admin.post(f"{glass}/revoke")) == (404, "not_found")
        for path in (glass, f"{glass}/uses"):
            assert said(await admin.get(path)) == (404, "not_found")
        assert attack.foreign.patient_id not in (await admin.get(GLASS)).text


@pytest.mark.parametrize("role", ["scheduler", "practitioner", "biller", "patient", "auditor"])
async def test_only_admins_approve(attack: Attack, role: str) -> None:
    secret = await enrolled(attack.client, attack.own.tokens[role])
    await forget_codes(attack.application, attack.own)
    async with attack.by(role) as user:
        path = f"{GLASS}/{attack.own.made['break-glass']}/approve"
        assert said(await user.post(path, json={"totp": code_of(secret)})) == (403, "forbidden")


async def test_nobody_who_approves_can_ask(attack: Attack) -> None:
    async with attack.by() as admin:
        body = {"patient_id": attack.own.patient_id, "minutes": 480, "justification": WHY}
        assert said(await admin.post(GLASS, json=body)) == (403, "forbidden")


async def test_a_new_role_makes_nobody_a_second_person(attack: Attack) -> None:
    """A practitioner asks, is made an admin, and is still who asked."""
    own = attack.own
    async with attack.by() as admin:
        raised = await admin.patch(
            f"{API}/users/{own.user_ids['practitioner']}", json={"role": "admin", "practitioner_id": None}
        )
        assert raised.status_code == 200, raised.text
    token = (await sign_in(attack.client, own.emails["practitioner"]))["access_token"]
    secret = await enrolled(attack.client, token)
    await forget_codes(attack.application, own)
    async with attack.client(token) as raised_user:
        path = f"{GLASS}/{own.made['break-glass']}/approve"
        assert said(await raised_user.post(path, json={"totp": code_of(secret)})) == (403, "forbidden")


async def test_two_people_are_the_law_in_storage(attack: Attack, settings: Settings) -> None:
    """Whoever writes: also the tables' owner."""
    owner = await asyncpg.connect(settings.database_admin_url)
    with pytest.raises(asyncpg.CheckViolationError, match="break_glass_requests_two_people"):
        await owner.execute(
            "update break_glass_requests set approved_by = user_id, approved_at = now() where organization_id = $1",
            attack.own.id,
        )
    for column in ("patient_id", "user_id"):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await owner.execute(
                f"update break_glass_requests g set {column} = f.{column} from break_glass_requests f"
                " where g.organization_id = $1 and f.organization_id = $2", attack.own.id, attack.foreign.id,
            )  # fmt: skip
    await owner.close()


async def test_the_server_writes_into_no_other_organization(attack: Attack) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with writing(attack.application, attack.own.id) as connection:
            await connection.execute(
                "insert into break_glass_requests (organization_id, id, user_id, patient_id, minutes,"
                " justification_encrypted, requested_at) values ($1, $2, $3, $4, 30, '', now())",
                attack.foreign.id, ids.new(), attack.foreign.user_ids["admin"], attack.foreign.patient_id,
            )  # fmt: skip


async def test_a_code_approves_once(attack: Attack) -> None:
    glass = attack.own.made["break-glass"]
    async with attack.by("practitioner") as user:
        body = {"patient_id": attack.own.patient_id, "minutes": 30, "justification": WHY}
        second = (await user.post(GLASS, json=body)).json()["id"]
    code = await attack.code()
    async with attack.by() as admin:
        assert (await admin.post(f"{GLASS}/{glass}/approve", json=code)).status_code == 200
        assert said(await admin.post(f"{GLASS}/{second}/approve", json=code)) == (401, "invalid_credentials")


async def test_the_code_is_the_approvers_own(attack: Attack) -> None:
    """Nor another tenant's, though their admin would give it away; nor a colleague's."""
    colleague = await enrolled(attack.client, attack.own.tokens["scheduler"])
    for each in (attack.own, attack.foreign):
        await forget_codes(attack.application, each)
    path = f"{GLASS}/{attack.own.made['break-glass']}/approve"
    async with attack.by() as admin:
        for secret in (attack.foreign_secret, colleague):
            answer = await admin.post(path, json={"totp": code_of(secret)})
            assert said(answer) == (401, "invalid_credentials")


async def test_a_foreign_patient_stays_unread_whatever_is_open_at_home(attack: Attack) -> None:
    async with attack.by() as admin:
        path = f"{GLASS}/{attack.own.made['break-glass']}/approve"
        assert (await admin.post(path, json=await attack.code())).status_code == 200
    made = attack.foreign.made
    for role in ("practitioner", "admin"):
        async with attack.by(role) as user:
            for path in (
                f"patients/{made['patients']}", f"appointments/{made['appointments']}",
                f"appointments/{made['appointments']}/explain", f"authorizations/{made['authorizations']}",
            ):  # fmt: skip
                assert said(await user.get(f"{API}/{path}")) == (404, "not_found"), path
            for path in ("appointments", "authorizations", "utilization"):
                listed = await user.get(f"{API}/{path}", params={"patient_id": made["patients"]})
                assert listed.json()["items"] == [], path


async def test_no_forged_token_approves(attack: Attack, settings: Settings) -> None:
    path = f"{GLASS}/{attack.foreign.made['break-glass']}"
    forge = the_forge(attack.own, settings)
    tokens = [make(forge) for make in KINDS.values()]
    tokens += [
        forge.claim(org=attack.foreign.id), forge.claim(org=attack.foreign.id, sub=attack.foreign.user_ids["admin"]),
        forge.claim(role="admin"),
    ]  # fmt: skip
    body = {"totp": code_of(attack.foreign_secret)}

    async def tried(token: str) -> int:
        async with attack.client() as nobody:
            headers = {"Authorization": f"Bearer {token}"}
            return (await nobody.post(f"{path}/approve", json=body, headers=headers)).status_code

    answers = await asyncio.gather(*(tried(token) for token in tokens))
    assert {*answers} == {401}


async def test_every_attempt_is_in_the_denials_of_the_attackers_own_organization(attack: Attack) -> None:
    glass = attack.foreign.made["break-glass"]
    async with attack.by() as admin:
        await admin.post(f"{GLASS}/{glass}/approve", json=await attack.code())
        items: list[Any] = []
        for _ in range(200):
            items = (await admin.get(f"{API}/audit/denials", params={"subject_id": glass})).json()["items"]
            if items:
                break
            await asyncio.sleep(0.02)
    assert [(each["action"], each["code"], each["actor_id"]) for each in items] == [
        ("POST /api/v1/break-glass/{id}/approve", "not_found", attack.own.user_ids["admin"])
    ]
