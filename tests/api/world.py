"""One of every noun, made over the API as an admin would: what the tests of roles and tenants ask for.

A noun that arrives is added to `make`; `test_roles.py` says so when it is forgotten.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from api.people import Client, Organization

API = "/api/v1"
ALWAYS = [{"weekday": weekday, "start": "00:00", "end": "24:00"} for weekday in range(7)]
VISIT = (datetime.now(UTC) + timedelta(days=14)).replace(hour=18, minute=0, second=0, microsecond=0)


async def _post(admin: httpx2.AsyncClient, path: str, **body: Any) -> str:
    answer = await admin.post(f"{API}/{path}", json=body)
    assert answer.status_code == 201, f"{path}: {answer.text}"
    made: str = answer.json()["id"]
    return made


async def _policy(admin: httpx2.AsyncClient, made: dict[str, str], word: str) -> None:
    rule = {
        "name": f"{word} rule", "kind": "soft", "type": "practitioner_room_preference",
        "preferred_rooms": [made["rooms"]],
    }  # fmt: skip
    made["policies"] = await _post(admin, "policies", scope="clinic", scope_id=made["clinics"], rules=[rule])
    answer = await admin.post(f"{API}/policies/{made['policies']}/activate")
    assert answer.status_code == 200, answer.text


async def _absences(admin: httpx2.AsyncClient, made: dict[str, str]) -> None:
    for noun, kind in (("clinics", "closures"), ("rooms", "closures"), ("practitioners", "time-off")):
        made[f"{noun}/{kind}"] = await _post(
            admin, f"{noun}/{made[noun]}/{kind}", start=(VISIT + timedelta(days=1)).isoformat(),
            end=(VISIT + timedelta(days=1, hours=1)).isoformat(),
        )  # fmt: skip


async def _break_glass(client: Client, organization: Organization, word: str) -> None:
    async with client(organization.tokens["practitioner"]) as practitioner:
        organization.made["break-glass"] = await _post(
            practitioner, "break-glass", patient_id=organization.patient_id, minutes=30,
            justification=f"{word} justification, which is long enough",
        )  # fmt: skip


async def _bookings(admin: httpx2.AsyncClient, made: dict[str, str]) -> None:
    """What is made beside a visit: a hold, a block and visits that recur, a plan for the day."""
    answer = await admin.post(f"{API}/holds", json={
        "clinic_id": made["clinics"], "patient_id": made["patients"], "service_id": made["services"],
        "practitioner_id": made["practitioners"], "start": (VISIT + timedelta(hours=9)).isoformat(),
        "ttl_seconds": 3_600,
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    made["holds"] = answer.json()["hold_id"]
    answer = await admin.post(f"{API}/blocks", json={
        "kind": "break", "practitioner_ids": [made["practitioners"]], "rrule": "FREQ=WEEKLY;COUNT=2",
        "start": (VISIT + timedelta(hours=7)).isoformat(), "end": (VISIT + timedelta(hours=8)).isoformat(),
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    made["blocks/series"] = answer.json()["series_id"]
    answer = await admin.post(f"{API}/appointments/series", json={
        "clinic_id": made["clinics"], "patient_id": made["patients"], "service_id": made["services"],
        "practitioner_id": made["practitioners"], "start": (VISIT + timedelta(hours=11)).isoformat(),
        "rrule": "FREQ=DAILY;COUNT=2",
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    made["series"] = answer.json()["series_id"]
    answer = await admin.post(f"{API}/clinics/{made['clinics']}/room-plan?date={VISIT.date()}")
    assert answer.status_code == 201, answer.text
    made["room-plans"] = answer.json()["id"]


async def make(client: Client, organization: Organization, word: str) -> None:
    """Fills `organization.made` with the id of one of each noun, by the noun as it stands in the path."""
    made = organization.made
    made["practitioners"], made["patients"] = organization.practitioner_id, organization.patient_id
    made["users"] = organization.user_ids["biller"]
    async with client(organization.tokens["admin"]) as admin:
        made["clinics"] = await _post(
            admin, "clinics", name=f"{word} Clinic", time_zone="America/Phoenix", opening_hours=ALWAYS
        )
        made["rooms"] = await _post(
            admin, "rooms", clinic_id=made["clinics"], number="1", name=f"{word} Room", room_type="therapy"
        )
        made["services"] = await _post(
            admin, "services", name=f"{word} Service", code="S1", duration_minutes=60, room_types=["therapy"],
            authorization_required=False,
        )  # fmt: skip
        made["contacts"] = await _post(
            admin,
            "contacts",
            name=f"{word} Parent",
            phone="+1 602 555 0142",
            email=f"parent@{word.lower()}.example",
        )
        answer = await admin.patch(
            f"{API}/patients/{organization.patient_id}",
            json={"contacts": [{"contact_id": made["contacts"], "relationship": "parent"}]},
        )
        assert answer.status_code == 200, answer.text
        made["payers"] = await _post(admin, "payers", name=f"{word} Payer")
        await _policy(admin, made, word)
        hours = [{"clinic_id": made["clinics"], **each} for each in ALWAYS]
        answer = await admin.patch(
            f"{API}/practitioners/{organization.practitioner_id}",
            json={"clinic_ids": [made["clinics"]], "working_hours": hours},
        )
        assert answer.status_code == 200, answer.text
        made["authorizations"] = await _post(
            admin, "authorizations", patient_id=organization.patient_id, payer_id=made["payers"],
            service_codes=["S1"], total_units=100, start_date=str(VISIT.date() - timedelta(days=20)),
            end_date=str(VISIT.date() + timedelta(days=100)), authorization_number=f"{word}-1",
        )  # fmt: skip
        made["appointments"] = await _post(
            admin, "appointments", clinic_id=made["clinics"], patient_id=organization.patient_id,
            practitioner_id=organization.practitioner_id, service_id=made["services"], start=VISIT.isoformat(),
            notes=f"{word} note",
        )  # fmt: skip
        made["blocks"] = await _post(
            admin, "blocks", kind="admin", practitioner_ids=[organization.practitioner_id], label=f"{word} label",
            start=(VISIT + timedelta(hours=5)).isoformat(), end=(VISIT + timedelta(hours=6)).isoformat(),
        )  # fmt: skip
        made["groups"] = await _post(
            admin, "groups", clinic_id=made["clinics"], practitioner_id=organization.practitioner_id,
            service_id=made["services"], start=(VISIT + timedelta(hours=13)).isoformat(), members_max=1,
        )  # fmt: skip
        answer = await admin.post(
            f"{API}/groups/{made['groups']}/members", json={"patient_id": organization.patient_id}
        )
        assert answer.status_code == 201, answer.text
        made["groups/members"] = answer.json()["id"]
        await _bookings(admin, made)
        await _absences(admin, made)
    await _break_glass(client, organization, word)
    async with client(organization.tokens["practitioner"]) as practitioner:
        made["sessions"] = await _post(
            practitioner, "sessions", appointment_id=made["appointments"], narrative=f"{word} narrative"
        )


def sample(schema: dict[str, Any], components: dict[str, Any], own: dict[str, str], name: str = "") -> Any:
    """The smallest value that a schema allows: required fields only, ids of one's own."""
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("examples"):
        return schema["examples"][0]
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", [])
        return {each: sample(schema["properties"][each], components, own, each) for each in required}
    if kind == "array":
        return [sample(schema["items"], components, own, name)] if schema.get("minItems") else []
    if kind == "string":
        return _text(schema, own, name)
    return {"integer": schema.get("minimum", 1), "boolean": False, "number": 1.0}.get(str(kind))


def _text(schema: dict[str, Any], own: dict[str, str], name: str) -> str:
    kind = schema.get("format")
    if kind == "uuid":
        return own[noun_of(name)]
    if kind == "date-time":
        return (VISIT + timedelta(hours=3 if name == "end" else 2)).isoformat()
    if kind == "date" or name.endswith("date"):
        return str(VISIT.date())
    named: dict[str, str] = {
        "email": "new@sample.example",
        "time_zone": "UTC",
        "room_type": "therapy",
        "service_code": "S1",
    }
    words = 1 + int(schema.get("minLength", 0)) // 7
    return named.get(name, "sample " * words).strip()


def noun_of(field: str) -> str:
    """The noun that a field's id is of: `exclude_appointment_id` is one of `appointments`."""
    word = field.removesuffix("s").removesuffix("_id").rpartition("_")[2]
    return {
        "client": "patients", "caregiver": "contacts", "scope": "clinics", "series": "blocks/series", "actor": "users",
        "subject": "patients",
    }.get(word, f"{word}s")  # fmt: skip
