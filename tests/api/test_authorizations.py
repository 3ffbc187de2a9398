"""/authorizations: payers by name, computed status, and who may see whose."""

from datetime import date, timedelta
from typing import Any

import httpx2
from api.people import Client, Organization, writing

from holdfast import ids
from holdfast.app import Application

AUTHORIZATIONS = "/api/v1/authorizations"


def body(organization: Organization, **more: Any) -> dict[str, Any]:
    return {
        "patient_id": organization.patient_id, "payer": "Sun Health", "service_codes": ["97153", "97155"],
        "total_units": 100, "start_date": "2026-01-01", "end_date": "2099-12-31", **more,
    }  # fmt: skip


async def new(client: httpx2.AsyncClient, organization: Organization, **more: Any) -> Any:
    answer = await client.post(AUTHORIZATIONS, json=body(organization, **more))
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    return answer.json()


async def test_a_payer_is_matched_by_name_or_made(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["biller"]) as biller:
        first = await new(biller, organization)
        second = await new(biller, organization, payer=" sun HEALTH ")
        assert second["payer_id"] == first["payer_id"]
        assert (first["payer"], first["available_units"], first["status"]) == ("Sun Health", 100, "active")
        third = body(organization, payer_id=first["payer_id"])
        both = await biller.post(AUTHORIZATIONS, json=third)
        assert (both.status_code, both.json()["errors"][0]["field"]) == (422, "payer")
        del third["payer"]
        assert (await biller.post(AUTHORIZATIONS, json=third)).status_code == 201
        neither = await biller.post(AUTHORIZATIONS, json={k: v for k, v in third.items() if k != "payer_id"})
        assert neither.json()["errors"][0] | {"message": ""} == {
            "field": "payer",
            "code": "missing",
            "message": "",
        }
        assert (await biller.get("/api/v1/payers")).json()["total"] == 1


async def test_what_cannot_be(client: Client, organization: Organization, stranger: Organization) -> None:
    async with client(organization.tokens["biller"]) as biller:
        for field, value in (
            ("service_codes", []), ("service_codes", ["a", "a"]), ("total_units", 0), ("total_units", 2**31),
            ("end_date", "2025-12-31"), ("unit_basis", "hour"), ("status", "exhausted"),
        ):  # fmt: skip
            answer = await biller.post(AUTHORIZATIONS, json=body(organization, **{field: value}))
            assert answer.status_code == 422, (field, value)
            assert answer.json()["errors"][0]["field"] == field
        foreign = await biller.post(AUTHORIZATIONS, json=body(organization, patient_id=stranger.patient_id))
        assert (foreign.status_code, foreign.json()["field"]) == (404, "patient_id")
        unknown = body(organization, payer_id=ids.new())
        del unknown["payer"]
        answer = await biller.post(AUTHORIZATIONS, json=unknown)
        assert (answer.status_code, answer.json()["field"]) == (404, "payer_id")


async def use(
    application: Application, organization: Organization, authorization: str, used: int, held: int
) -> None:
    async with writing(application, organization.id) as connection:
        await connection.execute(
            "update authorizations set used_units = $3, scheduled_units = $4, version = version + 1"
            " where organization_id = $1 and id = $2",
            organization.id, authorization, used, held,
        )  # fmt: skip


async def test_the_status_follows_decision_date_and_counters(
    application: Application, client: Client, organization: Organization
) -> None:
    soon = (date.today() + timedelta(days=5)).isoformat()  # noqa: DTZ011 a day more or less makes no difference
    async with client(organization.tokens["biller"]) as biller:
        active = await new(biller, organization, end_date=soon)
        pending = await new(biller, organization, status="pending")
        expired = await new(biller, organization, end_date="2026-01-31")
        used = await new(biller, organization, total_units=10)
        full = await new(biller, organization, total_units=10)
        await use(application, organization, used["id"], 10, 0)
        await use(application, organization, full["id"], 4, 6)

        async def found(**filters: Any) -> set[str]:
            listed = (await biller.get(AUTHORIZATIONS, params=filters)).json()
            return {each["id"] for each in listed["items"]}

        assert await found(status="pending") == {pending["id"]}
        assert await found(status="expired") == {expired["id"]}
        assert await found(status="exhausted") == {used["id"]}
        assert await found(status="active") == {active["id"], full["id"]}
        assert await found(expiring_within_days=7) == {active["id"]}
        assert await found(patient_id=ids.new()) == set()
        assert await found(service_code="97155", payer_id=active["payer_id"]) == {
            each["id"] for each in (active, pending, expired, used, full)
        }
        assert await found(service_code="90853") == set()
        units = await biller.get(f"{AUTHORIZATIONS}/{full['id']}/available-units")
        assert units.json() == {
            "available": 0, "total": 10, "used": 4, "scheduled": 6, "status": "active", "version": 2,
        }  # fmt: skip
        entries = await biller.get(f"{AUTHORIZATIONS}/{full['id']}/entries")
        assert (entries.json()["items"], entries.json()["total"]) == ([], 0)


async def test_the_one_that_booking_would_use(
    application: Application, client: Client, organization: Organization
) -> None:
    async with client(organization.tokens["biller"]) as biller:
        late = await new(biller, organization, end_date="2099-12-31")
        early = await new(biller, organization, end_date="2099-06-30")
        small = await new(biller, organization, end_date="2099-06-30", total_units=3)
        await new(biller, organization, end_date="2099-01-31", status="pending")
        asked = {"patient_id": organization.patient_id, "service_code": "97153"}

        async def active(**more: str) -> Any:
            answer = await biller.get(f"{AUTHORIZATIONS}/active", params=asked | more)
            return answer.json()["id"] if answer.status_code == 200 else answer.status_code

        assert await active() == small["id"]
        await use(application, organization, small["id"], 3, 0)
        assert await active() == early["id"]
        assert await active(date="2099-07-01") == late["id"]
        assert await active(date="2100-01-01") == 404
        assert await active(service_code="97110") == 404
        assert await active(patient_id=ids.new()) == 404


async def test_own_reaches_own_patients_only(
    application: Application, client: Client, organization: Organization, stranger: Organization
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        other = await admin.post(
            "/api/v1/patients", json={"given_name": "O", "family_name": "P", "birth_date": "2000-01-01"}
        )
        own = await new(admin, organization)
        foreign = await new(admin, organization, patient_id=other.json()["id"])
        clinic = await admin.post("/api/v1/clinics", json={"name": "Main", "time_zone": "UTC"})
        service = await admin.post(
            "/api/v1/services", json={"name": "A", "code": "97153", "duration_minutes": 60}
        )
    async with client(stranger.tokens["admin"]) as theirs:
        canary = await new(theirs, stranger)

    async def sees(role: str) -> set[str]:
        async with client(organization.tokens[role]) as someone:
            listed = {each["id"] for each in (await someone.get(AUTHORIZATIONS)).json()["items"]}
            for each in (own, foreign, canary):
                for path in ("", "/available-units", "/entries"):
                    answer = await someone.get(f"{AUTHORIZATIONS}/{each['id']}{path}")
                    assert answer.status_code == (200 if each["id"] in listed else 404), (role, path)
            return listed

    assert await sees("patient") == {own["id"]}
    assert await sees("practitioner") == set()
    visit = ids.new()
    async with writing(application, organization.id) as connection:
        await connection.execute(
            "insert into appointments (organization_id, id, clinic_id, patient_id, location, starts_at, ends_at,"
            " status, created_at, updated_at) values ($1, $2, $3, $4, 'home', now(), now() + interval '1 h',"
            " 'scheduled', now(), now())",
            organization.id, visit, clinic.json()["id"], organization.patient_id,
        )  # fmt: skip
        await connection.execute(
            "insert into appointment_lines (organization_id, appointment_id, line_no, practitioner_id, service_id,"
            " starts_at, ends_at) values ($1, $2, 1, $3, $4, now(), now() + interval '1 h')",
            organization.id, visit, organization.practitioner_id, service.json()["id"],
        )  # fmt: skip
    assert await sees("practitioner") == {own["id"]}
    for role in ("admin", "scheduler", "biller", "auditor"):
        assert await sees(role) == {own["id"], foreign["id"]}
    async with client(organization.tokens["scheduler"]) as desk:
        assert (await desk.post(AUTHORIZATIONS, json=body(organization))).status_code == 403
