"""The demo in a database: granted whole, true to every invariant, found again, and fit for what is shown with it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import pytest
from seed.conftest import Told, broken, every, signed_in

from holdfast import seed
from holdfast.app import Application
from holdfast.seed import Seeded, welcome
from holdfast.settings import Settings


async def rows(settings: Settings, query: str, *values: Any) -> list[Any]:
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()


async def _run(settings: Settings, told: Told) -> Seeded:
    return await seed.seeded(settings, "demo", 1, told.append)


async def test_it_is_granted_whole_and_true_and_found_again(settings: Settings, told: Told) -> None:
    first = await _run(settings, told)
    assert told, "progress is told"
    assert not [line for line in told if "refused" in line]
    assert len(first.organization_ids) == 2
    assert not await broken(settings, *first.organization_ids)
    before = await rows(settings, "select organization_id, seq from turns order by 1")
    told.clear()
    assert await _run(settings, told) == first
    assert not told
    assert await rows(settings, "select organization_id, seq from turns order by 1") == before
    roles = [(user.email.partition("@")[2], user.role) for user in first.users]
    for organization in ("juniper.example", "harbor.example"):
        assert {(organization, "admin"), (organization, "scheduler")} <= set(roles)
    assert [organization for organization, _ in roles] == sorted(
        (organization for organization, _ in roles), key="juniper.example harbor.example".index
    )


@pytest.mark.usefixtures("seeded_demo")
async def test_stories_are_stored(settings: Settings, told: Told) -> None:
    juniper, harbor = (await _run(settings, told)).organization_ids
    counted = await rows(
        settings, "select status, needs_action, room_id is null as no_room, location from appointments"
        " where organization_id = $1", juniper,
    )  # fmt: skip
    flags = Counter(row["needs_action"] for row in counted)
    assert flags["practitioner_absent"] == 4
    assert sum(row["no_room"] and row["location"] == "on_site" for row in counted) == 1
    assert {"home", "school", "telehealth", "on_site"} == {row["location"] for row in counted}
    assert {"completed", "cancelled", "no_show", "scheduled", "confirmed"} <= {
        row["status"] for row in counted
    }
    notice = await rows(
        settings, "select min(notice_minutes) as least from appointments where status = 'cancelled'"
    )
    assert notice[0]["least"] >= 0, "a cancellation is told when it was made"
    units = await rows(
        settings, "select used_units * 100 / total_units as used from authorizations"
        " where organization_id = $1 and used_units > 0 order by 1", juniper,
    )  # fmt: skip
    used = {row["used"] for row in units}
    assert 100 in used
    assert {92, 93, 94, 95, 96, 97, 98, 99} & used, "nearly used up"
    noted = await rows(
        settings, "select count(*) filter (where l.line_status = 'signed') as signed,"
        " count(*) filter (where l.line_status = 'completed') as unsigned, sum(l.units_used) as used"
        " from appointments a join appointment_lines l on l.organization_id = a.organization_id"
        " and l.appointment_id = a.id where a.organization_id = $1 and a.status = 'completed'"
        " and a.starts_at < now() - interval '30 hours'", juniper,
    )  # fmt: skip
    assert noted[0]["used"] > 100
    assert 0 < noted[0]["unsigned"] < noted[0]["signed"] * 0.1
    for table in ("clinics", "rooms", "practitioners", "patients", "services", "payers", "authorizations", "users",
                  "appointments", "closures", "time_off", "blocks", "groups", "contacts", "patient_contacts", "coverages", "holds", "policies",
                  "break_glass_requests", "series", "sessions", "session_versions"):  # fmt: skip
        found = await rows(settings, f"select organization_id, count(*) from {table} group by 1")
        assert {str(row["organization_id"]) for row in found} == {juniper, harbor}, table


@pytest.mark.usefixtures("seeded_demo")
async def test_there_is_room_for_self_pay_visits(settings: Settings, told: Told) -> None:
    """contract.md: three practitioners, three one-seat rooms, hundreds of free slots in two to four weeks."""
    found = await _run(settings, told)
    application = Application(settings)
    desk = next(user for user in found.users if user.role == "scheduler")
    async with application.running(), signed_in(application, desk) as client:
        clinic = (await client.get(f"clinics/{found.clinic_ids[0]}")).json()
        assert clinic["name"] == "Juniper Phoenix"
        seats = {room["id"]: room["concurrent_visits_max"] for room in await every(client, "rooms")}
        services = [
            service
            for service in await every(client, "services")
            if not service["authorization_required"] and "on_site" in service["locations"]
        ]
        assert "MASSAGE60" in {service["code"] for service in services}
        for service in services:
            slots = await _slots(client, clinic["id"], service["id"])
            rooms = {slot["room_id"] for slot in slots if seats[slot["room_id"]] == 1}
            assert len(slots) >= 300, service["code"]
            assert len({slot["practitioner_id"] for slot in slots}) >= 3, service["code"]
            assert len(rooms) >= 3, service["code"]


async def _slots(client: httpx2.AsyncClient, clinic: str, service: str) -> list[dict[str, Any]]:
    slots = []
    for week in (2, 3):
        first = datetime.now(UTC).date() + timedelta(days=7 * week)
        answer = await client.get("availability", params={
            "clinic_id": clinic, "service_id": service, "start_date": first.isoformat(),
            "end_date": (first + timedelta(days=6)).isoformat(), "limit": 500,
        })  # fmt: skip
        assert answer.status_code == 200, answer.text
        slots += answer.json()["slots"]
    return slots


@pytest.mark.usefixtures("seeded_demo")
async def test_what_a_newcomer_is_told_works(settings: Settings, told: Told) -> None:
    found = await _run(settings, told)
    text = welcome.text("http://holdfast.test", found)
    assert found.example is not None
    assert "curl -sN http://holdfast.test/api/v1/calendar/events" in text
    assert all(user.email in text and user.password in text for user in found.users)
    application = Application(settings)
    async with application.running():
        for user in found.users:
            async with signed_in(application, user):
                pass
        async with signed_in(application, found.users[1]) as client:
            body = seed.example_body(found.example)
            assert body in text
            client.headers["Content-Type"] = "application/json"
            answers = [await client.post("appointments", content=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409], answers[0].text
    assert answers[1].json()["alternatives"]["slots"]


@pytest.mark.usefixtures("seeded_demo")
async def test_a_seeding_that_was_broken_off_is_begun_anew(settings: Settings, told: Told) -> None:
    first = await _run(settings, told)
    await rows(settings, "update users set email = 'gone' || email where email like '%auditor@%'")
    second = await _run(settings, told)
    assert second.organization_ids[0] != first.organization_ids[0]
    assert second.organization_ids[1] == first.organization_ids[1]
    assert not await broken(settings, *second.organization_ids)
    application = Application(settings)
    async with application.running(), signed_in(application, second.users[0]):
        pass


@pytest.mark.parametrize("profile", ["small", "storm"])
async def test_profiles_are_granted_whole_and_true(settings: Settings, told: Told, profile: str) -> None:
    found = await seed.seeded(settings, profile, 3, told.append)
    assert not [line for line in told if "refused" in line]
    assert not await broken(settings, *found.organization_ids)
    other = await seed.seeded(settings, profile, 4, told.append)
    assert not set(found.organization_ids) & set(other.organization_ids)
