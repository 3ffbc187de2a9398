"""/clinics and /practitioners: hours that cannot be, and who works where."""

from typing import Any

import pytest
from api.people import Client, Organization

from holdfast import ids

API = "/api/v1"


def at(weekday: int, start: str, end: str, **more: Any) -> dict[str, Any]:
    return {"weekday": weekday, "start": start, "end": end, **more}


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ([at(0, "09:00", "08:00")], "opening_hours[0].end"),
        ([at(0, "09:00", "09:00")], "opening_hours[0].end"),
        ([at(7, "09:00", "10:00")], "opening_hours[0].weekday"),
        ([at(0, "24:00", "24:00")], "opening_hours[0].start"),
        ([at(0, "9:00", "10:00")], "opening_hours[0].start"),
        ([at(0, "09:00", "10:60")], "opening_hours[0].end"),
        ([at(0, "09:00", "10:00\n")], "opening_hours[0].end"),
        ([at(0, "09:00", "12:00"), at(1, "09:00", "12:00"), at(0, "11:59", "13:00")], "opening_hours[2]"),
    ],
)
async def test_hours_that_cannot_be(
    client: Client, organization: Organization, hours: list[dict[str, Any]], field: str
) -> None:
    body = {"name": "Main", "time_zone": "America/Phoenix", "opening_hours": hours}
    async with client(organization.tokens["admin"]) as admin:
        answer = await admin.post(f"{API}/clinics", json=body)
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_a_day_may_have_a_break_and_end_at_midnight(client: Client, organization: Organization) -> None:
    hours = [at(0, "08:00", "12:00"), at(0, "12:00", "24:00"), at(6, "00:00", "24:00")]
    async with client(organization.tokens["admin"]) as admin:
        body = {"name": "Main", "time_zone": "America/Phoenix", "opening_hours": hours}
        assert (await admin.post(f"{API}/clinics", json=body)).json()["opening_hours"] == hours
        for zone in ("Mars/Olympus", "../etc/passwd", "america/phoenix ", "/"):
            answer = await admin.post(f"{API}/clinics", json={"name": "X", "time_zone": zone})
            assert answer.status_code == 422, zone
            assert answer.json()["errors"][0]["field"] == "time_zone"


async def test_names_are_unique(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        for noun, body in (
            ("clinics", {"name": "Main", "time_zone": "UTC"}),
            ("payers", {"name": "Sun"}),
        ):
            assert (await admin.post(f"{API}/{noun}", json=body)).status_code == 201
            twice = await admin.post(f"{API}/{noun}", json=body)
            assert (twice.status_code, twice.json()["field"]) == (409, "name")


async def test_a_practitioner_works_at_known_clinics(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        clinic = (await admin.post(f"{API}/clinics", json={"name": "Main", "time_zone": "UTC"})).json()["id"]
        nobody = await admin.post(f"{API}/practitioners", json={"name": "A", "clinic_ids": [ids.new()]})
        assert (nobody.status_code, nobody.json()["field"]) == (404, "clinic_ids")
        hours = [at(0, "08:00", "12:00", clinic_id=clinic)]
        person = await admin.post(f"{API}/practitioners", json={"name": "A", "working_hours": hours})
        assert person.json()["clinic_ids"] == [clinic]
        path = f"{API}/practitioners/{person.json()['id']}"
        left = await admin.patch(path, json={"clinic_ids": []})
        assert left.json()["errors"][0]["field"] == "working_hours[0].clinic_id"
        here = await admin.get(f"{API}/practitioners", params={"clinic_id": clinic})
        assert [each["name"] for each in here.json()["items"]] == ["A"]
        assert (await admin.get(f"{API}/practitioners", params={"clinic_id": ids.new()})).json()[
            "items"
        ] == []


async def test_dated_hours_overlap_only_where_both_hold(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        clinic = (await admin.post(f"{API}/clinics", json={"name": "Main", "time_zone": "UTC"})).json()["id"]
        until = at(0, "08:00", "12:00", clinic_id=clinic, valid_to="2026-06-30")
        after = at(0, "10:00", "14:00", clinic_id=clinic, valid_from="2026-07-01")
        person = {"name": "A", "working_hours": [until, after]}
        assert (await admin.post(f"{API}/practitioners", json=person)).status_code == 201
        person["working_hours"] = [until, after | {"valid_from": "2026-06-30"}]
        answer = await admin.post(f"{API}/practitioners", json=person)
        assert answer.json()["errors"][0]["field"] == "working_hours[1]"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"hours_exceptions": [{"date": "2026-12-24", "start": "08:00"}]}, "hours_exceptions[0]"),
        ({"hours_exceptions": [{"date": "2026-12-24", "start": "08:00", "end": "07:00"}]}, "hours_exceptions[0].end"),
        ({"credentials": [{"code": "RBT", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}]},
         "credentials[0].valid_to"),
        ({"credentials": [{"code": " "}]}, "credentials[0].code"),
        ({"concurrent_visits_max": 101}, "concurrent_visits_max"),
        ({"buffer_minutes": -1}, "buffer_minutes"),
    ],
)  # fmt: skip
async def test_what_a_practitioner_cannot_have(
    client: Client, organization: Organization, fields: dict[str, Any], field: str
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        clinic = (await admin.post(f"{API}/clinics", json={"name": "Main", "time_zone": "UTC"})).json()["id"]
        for exception in fields.get("hours_exceptions", []):
            exception["clinic_id"] = clinic
        answer = await admin.post(
            f"{API}/practitioners", json={"name": "A", "clinic_ids": [clinic], **fields}
        )
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]
