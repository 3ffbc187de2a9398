"""Closures and time off: recorded whatever is booked, and every visit in the way is named and flagged."""

from typing import Any

import httpx2
import pytest
from api.people import Client, Organization, writing

from holdfast import ids
from holdfast.app import Application

API = "/api/v1"
DAY = "2027-03-09"


@pytest.fixture
async def place(application: Application, client: Client, organization: Organization) -> dict[str, str]:
    """A clinic with a room of two seats and four visits on one morning: scheduled, confirmed, completed, cancelled."""
    async with client(organization.tokens["admin"]) as admin:

        async def make(noun: str, **body: Any) -> str:
            answer = await admin.post(f"{API}/{noun}", json=body)
            assert answer.status_code == 201, answer.text
            made: str = answer.json()["id"]
            return made

        clinic = await make("clinics", name="Main", time_zone="UTC")
        made = {
            "clinic": clinic,
            "room": await make(
                "rooms", clinic_id=clinic, number="1", room_type="gym", concurrent_visits_max=2
            ),
            "practitioner": await make("practitioners", name="Ana", clinic_ids=[clinic]),
            "patient": await make("patients", given_name="Mia", family_name="Stone", birth_date="2015-05-05"),
            "service": await make("services", name="PT", code="97110", duration_minutes=45),
        }
    for hour, status in enumerate(("scheduled", "confirmed", "completed", "cancelled"), 8):
        made[status] = ids.new()
        await insert_visit(application, organization, made, status, f"{DAY}T{hour:02}:00:00Z")
    return made


async def insert_visit(
    application: Application, organization: Organization, made: dict[str, str], status: str, start: str
) -> None:
    async with writing(application, organization.id) as connection:
        await connection.execute(
            "insert into appointments (organization_id, id, clinic_id, patient_id, room_id, location, starts_at,"
            " ends_at, status, cancelled_at, created_at, updated_at) select $1, $2, $3, $4, $5, 'on_site', t,"
            " t + interval '1 h', $6::text, case when $6 = 'cancelled' then now() end, now(), now()"
            " from (select $7::text::timestamptz) x(t)",
            organization.id, made[status], made["clinic"], made["patient"], made["room"], status, start,
        )  # fmt: skip
        await connection.execute(
            "insert into appointment_lines (organization_id, appointment_id, line_no, practitioner_id, service_id,"
            " starts_at, ends_at) select $1, a.id, 1, $3, $4, a.starts_at, a.ends_at from appointments a where a.id = $2",
            organization.id, made[status], made["practitioner"], made["service"],
        )  # fmt: skip
        if status == "cancelled":
            return
        for resource, seat in ((made["room"], 1), (made["practitioner"], 0)):
            await connection.execute(
                "insert into claims (organization_id, resource_id, seat, starts_at, ends_at, kind, appointment_id)"
                " select $1, $3, $4, a.starts_at, a.ends_at, 'visit', a.id"
                " from appointments a where a.id = $2",
                organization.id, made[status], resource, seat,
            )  # fmt: skip


async def claims(
    application: Application, organization: Organization, resource: str
) -> list[tuple[int, str, str, str]]:
    async with writing(application, organization.id) as connection:
        rows = await connection.fetch(
            "select seat, kind, to_char(starts_at at time zone 'UTC', 'DD HH24:MI') as a,"
            " to_char(ends_at at time zone 'UTC', 'DD HH24:MI') as b"
            " from claims where organization_id = $1 and resource_id = $2 and kind not in ('visit')"
            " order by seat, starts_at",
            organization.id, resource,
        )  # fmt: skip
    return [(row["seat"], row["kind"], row["a"], row["b"]) for row in rows]


async def recorded(admin: httpx2.AsyncClient, path: str, start: str, end: str, **more: str) -> Any:
    answer = await admin.post(f"{API}/{path}", json={"start": start, "end": end, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def flags(application: Application, organization: Organization) -> dict[str, tuple[str | None, int]]:
    async with writing(application, organization.id) as connection:
        rows = await connection.fetch(
            "select status, needs_action, version from appointments where organization_id = $1",
            organization.id,
        )
    return {row["status"]: (row["needs_action"], row["version"]) for row in rows}


async def test_a_room_closes_around_what_is_booked(
    application: Application, client: Client, organization: Organization, place: dict[str, str]
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        path = f"rooms/{place['room']}/closures"
        closure = await recorded(admin, path, f"{DAY}T08:30:00Z", "2027-03-10T06:00:00Z", reason="paint")
        listed = (await admin.get(f"{API}/{path}")).json()
    assert [(each["id"], each["start"], each["status"]) for each in closure["affected"]] == [
        (place["scheduled"], f"{DAY}T08:00:00Z", "scheduled"),
        (place["confirmed"], f"{DAY}T09:00:00Z", "confirmed"),
    ]
    assert (closure["clinic_id"], closure["room_id"], closure["reason"]) == (
        place["clinic"],
        place["room"],
        "paint",
    )
    assert listed["items"] == [{name: value for name, value in closure.items() if name != "affected"}]
    assert await flags(application, organization) == {
        "scheduled": ("room_closed", 2), "confirmed": ("room_closed", 2), "completed": (None, 1), "cancelled": (None, 1),
    }  # fmt: skip
    assert await claims(application, organization, place["room"]) == [
        (0, "closure", "09 08:30", "10 00:00"),
        (0, "closure", "10 00:00", "10 06:00"),
        (1, "closure", "09 11:00", "10 00:00"),
        (1, "closure", "10 00:00", "10 06:00"),
    ]


async def test_the_visits_are_told_with_their_new_version(
    application: Application, client: Client, organization: Organization, place: dict[str, str]
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        await recorded(
            admin,
            f"clinics/{place['clinic']}/closures",
            f"{DAY}T00:00:00Z",
            f"{DAY}T23:00:00Z",
            reason="Mia is ill",
        )
    async with writing(application, organization.id) as connection:
        rows = await connection.fetch(
            "select kind, body ->> 'id' as id, body ->> 'version' as version, body ->> 'needs_action' as flag,"
            " body::text as body, e.seq = t.directory_seq as is_directory from events e join turns t"
            " on t.organization_id = e.organization_id where e.organization_id = $1 order by e.seq desc limit 3",
            organization.id,
        )  # fmt: skip
    assert [(row["kind"], row["id"], row["version"], row["flag"]) for row in rows[:2]] == [
        ("appointment.needs_action", place["confirmed"], "2", "clinic_closed"),
        ("appointment.needs_action", place["scheduled"], "2", "clinic_closed"),
    ]
    assert rows[2]["kind"] == "closure.recorded"
    assert rows[0]["is_directory"]
    assert "Mia" not in "".join(row["body"] for row in rows)


async def test_a_sick_call_always_succeeds(
    application: Application, client: Client, organization: Organization, place: dict[str, str]
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        path = f"practitioners/{place['practitioner']}/time-off"
        times = ("2027-03-09T00:00:00-07:00", "2027-03-10T00:00:00-07:00")
        first = await recorded(admin, path, *times, kind="sick")
        assert [each["id"] for each in first["affected"]] == [place["scheduled"], place["confirmed"]]
        before = await claims(application, organization, place["practitioner"])
        assert before == [
            (0, "time_off", "09 07:00", "09 08:00"),
            (0, "time_off", "09 11:00", "10 00:00"),
            (0, "time_off", "10 00:00", "10 07:00"),
        ]
        again = await recorded(admin, path, *times, kind="sick")
        assert again["affected"] == first["affected"]
        assert await claims(application, organization, place["practitioner"]) == before
        assert (await flags(application, organization))["scheduled"] == ("practitioner_absent", 2)
        listed = (await admin.get(f"{API}/{path}", params={"ends_after": "2027-03-10T07:00:00Z"})).json()
        assert listed["items"] == []
        assert (await admin.get(f"{API}/{path}")).json()["total"] == 2


async def test_a_new_seat_is_closed_when_the_others_are(
    application: Application, client: Client, organization: Organization, place: dict[str, str]
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        await recorded(admin, f"clinics/{place['clinic']}/closures", f"{DAY}T12:00:00Z", f"{DAY}T18:00:00Z")
        await admin.patch(f"{API}/rooms/{place['room']}", json={"concurrent_visits_max": 3})
        assert (2, "closure", "09 12:00", "09 18:00") in await claims(
            application, organization, place["room"]
        )
        new = await admin.post(
            f"{API}/rooms", json={"clinic_id": place["clinic"], "number": "2", "room_type": "gym"}
        )
        assert await claims(application, organization, new.json()["id"]) == [
            (0, "closure", "09 12:00", "09 18:00")
        ]


async def test_absences_that_cannot_be(
    client: Client, organization: Organization, stranger: Organization, place: dict[str, str]
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        path = f"{API}/rooms/{place['room']}/closures"
        for start, end, field in (
            (f"{DAY}T10:00:00Z", f"{DAY}T10:00:00Z", "end"),
            (f"{DAY}T10:00:00Z", f"{DAY}T09:00:00Z", "end"),
            (f"{DAY}T10:00:00Z", "2028-03-10T10:01:00Z", "end"),
            ("2090-01-01T00:00:00Z", "2090-01-02T00:00:00Z", "start"),
            (f"{DAY}T10:00:30Z", f"{DAY}T11:00:00Z", "start"),
            (f"{DAY}T10:00:00", f"{DAY}T11:00:00Z", "start"),
        ):
            answer = await admin.post(path, json={"start": start, "end": end})
            assert answer.status_code == 422, (start, end)
            assert answer.json()["errors"][0]["field"] == field
        times = {"start": f"{DAY}T10:00:00Z", "end": f"{DAY}T11:00:00Z"}
        for gone in (f"rooms/{ids.new()}/closures", f"practitioners/{stranger.practitioner_id}/time-off"):
            answer = await admin.post(f"{API}/{gone}", json=times)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    async with client(organization.tokens["auditor"]) as auditor:
        assert (await auditor.post(path, json=times)).status_code == 403
