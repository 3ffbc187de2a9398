"""/organization: everybody reads it, admins change it."""

from typing import Any

import pytest
from api.people import Client, Organization

PATH = "/api/v1/organization"


async def test_everybody_reads_their_own(
    client: Client, organization: Organization, stranger: Organization
) -> None:
    for token in organization.tokens.values():
        async with client(token) as user:
            answer = await user.get(PATH)
        assert answer.status_code == 200
        assert answer.json()["id"] == organization.id
        assert answer.json()["settings"] == {
            "late_cancellation_minutes": 1440, "cancellation_reason_codes": [], "expiry_alert_days": 60,
            "make_up_days": 60, "require_totp_for_admins": False,
        }  # fmt: skip
        assert answer.headers["etag"] == '"1"'
        assert "CANARY" not in answer.text


async def test_an_admin_changes_it(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        changes = {"name": " New name ", "time_zone": "Europe/Berlin", "patient_label": "learner",
                   "settings": {"late_cancellation_minutes": 60, "cancellation_reason_codes": ["ill"],
                                "expiry_alert_days": 30, "make_up_days": 90, "require_totp_for_admins": False}}  # fmt: skip
        answer = await admin.patch(PATH, json=changes)
        assert answer.status_code == 200, answer.text
        changed = answer.json()
        assert {name: changed[name] for name in changes} == changes | {"name": "New name"}
        assert changed["version"] == 2
        assert (await admin.patch(PATH, json={})).json() == changed
        seq = int((await admin.get(PATH)).headers["as-of-seq"])
        await admin.patch(PATH, json={"name": "Another"})
        assert int((await admin.get(PATH)).headers["as-of-seq"]) == seq + 1


@pytest.mark.parametrize(("change", "field"), [
    ({"name": ""}, "name"), ({"name": "   "}, "name"), ({"name": "x" * 201}, "name"), ({"name": None}, "name"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"), ({"time_zone": "../etc/passwd"}, "time_zone"),
    ({"time_zone": ""}, "time_zone"), ({"patient_label": "customer"}, "patient_label"),
    ({"settings": {"late_cancellation_minutes": -1}}, "settings.late_cancellation_minutes"),
    ({"settings": {"cancellation_reason_codes": ["No Such"]}}, "settings.cancellation_reason_codes[0]"),
    ({"settings": {"expiry_alert_days": 0}}, "settings.expiry_alert_days"),
    ({"settings": {"make_up_days": 367}}, "settings.make_up_days"), ({"settings": {"unheard_of": 1}}, "settings"), ({"settings": []}, "settings"), ({"data_key": "x"}, "data_key"),
])  # fmt: skip
async def test_what_cannot_be_is_not_understood(
    client: Client, organization: Organization, change: dict[str, Any], field: str
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        answer = await admin.patch(PATH, json=change)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_only_admins_change_it_and_only_the_version_they_saw(
    client: Client, organization: Organization
) -> None:
    for role, token in organization.tokens.items():
        async with client(token) as user:
            answer = await user.patch(PATH, json={"name": "Mine"}, headers={"If-Match": '"9"'})
            assert answer.status_code == (412 if role == "admin" else 403)
