"""What is the same for every noun: create, get, list, change; versions, keys, foreign ids, events."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from api.people import Client, Organization, writing

from holdfast import ids
from holdfast.app import Application

API = "/api/v1"
Body = dict[str, Any]

# Noun -> a body to create it with (given a clinic's id) and a change.
NOUNS: dict[str, tuple[Callable[[str], Body], Body]] = {
    "clinics": (
        lambda _: {
            "name": "North", "time_zone": "America/Denver",
            "opening_hours": [{"weekday": 0, "start": "07:30", "end": "24:00"}],
        },
        {"opening_hours": [], "allow_unassigned": True},
    ),
    "rooms": (
        lambda clinic: {"clinic_id": clinic, "number": "7", "room_type": "therapy", "equipment": ["swing"]},
        {"equipment": [], "name": "Blue"},
    ),
    "practitioners": (
        lambda clinic: {
            "name": "Ben Okafor", "credentials": [{"code": "RBT", "valid_to": "2030-01-31"}],
            "working_hours": [{"clinic_id": clinic, "weekday": 2, "start": "08:00", "end": "16:00"}],
            "hours_exceptions": [{"clinic_id": clinic, "date": "2026-12-24"}],
        },
        {"buffer_minutes": 10, "credentials": []},
    ),
    "patients": (
        lambda _: {"given_name": "Zoë", "family_name": "Núñez", "birth_date": "2017-02-28", "alerts": "peanuts"},
        {"alerts": None, "needs": ["step-free"]},
    ),
    "contacts": (
        lambda _: {
            "name": "Rosa Núñez", "phone": "+1 602 555 0142", "email": "rosa@mail.example", "language": "es",
            "channel": "sms", "consented_on": "2026-01-31",
        },
        {"channel": "email", "phone": None},
    ),
    "services": (
        lambda _: {"name": "Speech", "code": "92507", "duration_minutes": 45, "locations": ["home", "on_site"]},
        {"turnover_minutes": 5, "unit_basis": "day"},
    ),
    "payers": (
        lambda _: {"name": "Sun Health", "concurrent_pairs": [["97153", "97155"]]},
        {"rounding": "cms_8_minute", "rounding_scope": "day"},
    ),
}  # fmt: skip
SECRET = {
    "patients": ("Zoë", "Núñez", "2017-02-28", "peanuts"),
    "contacts": ("Núñez", "555 0142", "rosa@", "2026-01-31"),
}


async def clinic_of(admin: httpx2.AsyncClient) -> str:
    answer = await admin.post(f"{API}/clinics", json={"name": "Main", "time_zone": "America/Phoenix"})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def made(admin: httpx2.AsyncClient, noun: str, **headers: str) -> httpx2.Response:
    body = NOUNS[noun][0](await clinic_of(admin))
    answer = await admin.post(f"{API}/{noun}", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer


@pytest.mark.parametrize("noun", NOUNS)
async def test_what_is_created_is_there(client: Client, organization: Organization, noun: str) -> None:
    async with client(organization.tokens["admin"]) as admin:
        answer = await made(admin, noun)
        new = answer.json()
        new.pop("possible_duplicates", None)
        body = NOUNS[noun][0](new.get("clinic_id", ""))
        given = {
            name: value
            for name, value in body.items()
            if not name.endswith(("hours", "exceptions", "credentials"))
        }
        assert new | given == new
        assert (new["version"], new["is_active"]) == (1, True)
        assert answer.headers["etag"] == '"1"'
        got = await admin.get(f"{API}/{noun}/{new['id']}")
        assert got.json() == new
        assert got.headers["etag"] == '"1"'
        listed = await admin.get(f"{API}/{noun}", params={"page_size": 100})
        assert new in listed.json()["items"]
        assert got.headers["as-of-seq"] == listed.headers["as-of-seq"]


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_change_leaves_what_it_does_not_name(
    client: Client, organization: Organization, noun: str
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        new = (await made(admin, noun)).json()
        new.pop("possible_duplicates", None)
        path, change = f"{API}/{noun}/{new['id']}", NOUNS[noun][1]
        answer = await admin.patch(path, json=change, headers={"If-Match": '"1"'})
        assert answer.status_code == 200, answer.text
        changed = answer.json()
        assert changed == new | change | {"version": 2, "updated_at": changed["updated_at"]}
        assert answer.headers["etag"] == '"2"'
        assert (await admin.get(path)).json() == changed
        stale = await admin.patch(path, json={"is_active": False}, headers={"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
        again = await admin.patch(path, json=change)
        assert again.json() == changed, "a change that changes nothing keeps the version"
        gone = await admin.patch(path, json={"is_active": False})
        assert gone.json()["is_active"] is False
        active = await admin.get(f"{API}/{noun}", params={"is_active": "true", "page_size": 100})
        assert new["id"] not in [each["id"] for each in active.json()["items"]]


@pytest.mark.parametrize("noun", NOUNS)
async def test_an_equal_key_has_one_effect(client: Client, organization: Organization, noun: str) -> None:
    async with client(organization.tokens["admin"]) as admin:
        body = NOUNS[noun][0](await clinic_of(admin))
        headers = {"Idempotency-Key": "once"}
        first = await admin.post(f"{API}/{noun}", json=body, headers=headers)
        second = await admin.post(f"{API}/{noun}", json=body, headers=headers)
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json()
        assert second.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("noun", NOUNS)
async def test_another_organizations_are_not_there(
    client: Client, organization: Organization, stranger: Organization, noun: str
) -> None:
    async with client(stranger.tokens["admin"]) as admin:
        foreign = (await made(admin, noun)).json()["id"]
    async with client(organization.tokens["admin"]) as admin:
        for path in (f"{API}/{noun}/{foreign}", f"{API}/{noun}/{ids.new()}", f"{API}/{noun}/nonsense"):
            for answer in (await admin.get(path), await admin.patch(path, json={"is_active": False})):
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        listed = await admin.get(f"{API}/{noun}", params={"page_size": 100})
        assert foreign not in listed.text
        assert "CANARY" not in listed.text


@pytest.mark.parametrize("noun", NOUNS)
async def test_the_event_holds_the_state_and_nothing_private(
    application: Application, client: Client, organization: Organization, noun: str
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        new = (await made(admin, noun)).json()
        await admin.patch(f"{API}/{noun}/{new['id']}", json=NOUNS[noun][1])
        now = (await admin.get(f"{API}/{noun}/{new['id']}")).json()
    async with writing(application, organization.id) as connection:
        rows = await connection.fetch(
            "select kind, body::text, seq from events where organization_id = $1 and body ->> 'id' = $2 order by seq",
            organization.id, new["id"],
        )  # fmt: skip
        directory_seq = await connection.fetchval(
            "select directory_seq from turns where organization_id = $1", organization.id
        )
        audited = await connection.fetchval("select string_agg(a::text, '') from audit a")
    assert [row["kind"] for row in rows] == [f"{noun[:-1]}.created", f"{noun[:-1]}.changed"]
    body = httpx2.Response(200, content=rows[-1]["body"]).json()
    assert now | body == now
    assert (directory_seq == rows[-1]["seq"]) == (noun not in {"patients", "contacts"})
    if noun in {"patients", "contacts"}:
        assert set(body) == {"id", "is_active", "version", "created_at", "updated_at"}
    else:
        assert body == now
    for secret in SECRET.get(noun, ()):
        assert secret not in rows[0]["body"] + rows[1]["body"] + audited


@pytest.mark.parametrize("noun", NOUNS)
async def test_what_cannot_be_understood_is_named(
    client: Client, organization: Organization, noun: str
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        body = NOUNS[noun][0](await clinic_of(admin))
        answer = await admin.post(f"{API}/{noun}", json=body | {"colour": 1})
        assert answer.status_code == 422
        assert answer.json()["errors"][0] | {"message": ""} == {
            "field": "colour", "code": "unknown_field", "message": "",
        }  # fmt: skip
        for field in body:
            answer = await admin.post(f"{API}/{noun}", json=body | {field: {"x": 1}})
            assert answer.status_code == 422, field
            assert answer.json()["errors"][0]["field"] == field
        patched = await admin.patch(f"{API}/{noun}/{ids.new()}", json={"is_active": None})
        assert patched.json()["errors"][0]["field"] == "is_active"


async def test_pages_are_whole_and_in_order(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        for number in range(5):
            await admin.post(f"{API}/payers", json={"name": f"Payer {number}"})
        seen = []
        for page in (1, 2, 3, 4):
            answer = (await admin.get(f"{API}/payers", params={"page": page, "page_size": 2})).json()
            assert answer | {"items": []} == {
                "items": [], "page": page, "page_size": 2, "total": 5, "total_pages": 3,
            }  # fmt: skip
            seen += [each["name"] for each in answer["items"]]
        assert seen == [f"Payer {number}" for number in range(5)]
        for wrong in ({"page": 0}, {"page_size": 0}, {"page_size": 101}, {"page": "x"}, {"sort": "name"}):
            answer = await admin.get(f"{API}/payers", params=wrong)
            assert answer.status_code == 422, wrong
            assert answer.json()["errors"][0]["field"] == next(iter(wrong))
