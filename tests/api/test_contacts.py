"""/contacts, and the contacts of /patients: one parent of several siblings, reached as they want to be."""

from typing import Any

import asyncpg
import httpx2
import pytest
from api.people import Client, Organization, writing
from api.practice import Practice

from holdfast import ids
from holdfast.app import Application

API = "/api/v1"
ROSA = {
    "name": "Rosa Núñez",
    "phone": "+1 602 555 0142",
    "email": "rosa@mail.example",
    "language": "es",
    "channel": "sms",
}
MAY = {"relationship": "parent", "may_cancel": True, "receives_reminders": True}


async def patient(client: httpx2.AsyncClient, given: str, *contacts: dict[str, Any]) -> Any:
    body = {"given_name": given, "family_name": "Núñez", "birth_date": "2017-02-28", "contacts": contacts}
    answer = await client.post(f"{API}/patients", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def get(client: httpx2.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(f"{API}/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_new_patient_brings_a_contact(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        zoe = await patient(desk, "Zoë", ROSA | MAY | {"consented_on": "2026-01-31"})
        (contact,) = zoe["contacts"]
        assert contact == ROSA | MAY | {"consented_on": "2026-01-31", "contact_id": contact["contact_id"]}
        assert (await get(desk, f"patients/{zoe['id']}"))["contacts"] == [contact]
        kept = await get(desk, f"contacts/{contact['contact_id']}")
        assert kept | ROSA == kept
        assert kept["consent_recorded_by"] == organization.user_ids["scheduler"]


async def test_siblings_share_a_contact(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        zoe = await patient(desk, "Zoë", ROSA | MAY)
        rosa = zoe["contacts"][0]["contact_id"]
        leo = await patient(desk, "Leo", {"contact_id": rosa, "relationship": "step_parent"})
        other = await patient(desk, "Max", {"name": "Rosa Parks", "relationship": "relative"})
        siblings = (await get(desk, "patients", contact_id=rosa))["items"]
        assert [each["id"] for each in siblings] == [leo["id"], zoe["id"]]
        searched = (await get(desk, "patients", contact_id=rosa, q="leo"))["items"]
        assert [each["id"] for each in searched] == [leo["id"]]

        changed = await desk.patch(f"{API}/contacts/{rosa}", json={"phone": "+1 602 555 0199"})
        assert changed.status_code == 200, changed.text
        for before, may_cancel in ((zoe, True), (leo, False)):
            after = await get(desk, f"patients/{before['id']}")
            assert after["contacts"][0]["phone"] == "+1 602 555 0199"
            assert after["contacts"][0]["may_cancel"] is may_cancel
            assert after["version"] == before["version"] + 1, "what is shown has changed, so has the ETag"
        assert (await get(desk, f"patients/{other['id']}"))["version"] == 1
        stale = await desk.patch(
            f"{API}/patients/{zoe['id']}", json={"needs": []}, headers={"If-Match": '"1"'}
        )
        assert stale.status_code == 412
        again = await desk.patch(f"{API}/contacts/{rosa}", json={"phone": "+1 602 555 0199"})
        assert again.json()["version"] == changed.json()["version"] == 2
        assert (await get(desk, f"patients/{zoe['id']}"))["version"] == 2


async def test_a_list_of_contacts_replaces_the_one_before(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        zoe = await patient(desk, "Zoë", ROSA | MAY, {"name": "Ana Ruiz", "relationship": "case_worker"})
        path, (rosa, ana) = f"{API}/patients/{zoe['id']}", zoe["contacts"]
        same = await desk.patch(path, json={"contacts": zoe["contacts"]})
        assert (same.status_code, same.json()["version"]) == (200, 1), (
            "as they were read, they change nothing"
        )
        turned = (await desk.patch(path, json={"contacts": [ana, rosa | {"may_cancel": False}]})).json()
        assert turned["contacts"] == [ana, rosa | {"may_cancel": False}]
        assert turned["version"] == 2
        assert (await desk.patch(path, json={"contacts": []})).json()["contacts"] == []
        assert (await get(desk, "contacts", q="ruiz"))["total"] == 1, (
            "a contact stays, whoever they belong to"
        )


async def test_a_contact_who_is_not_active_is_not_shown(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        zoe = await patient(desk, "Zoë", ROSA | MAY)
        rosa, path = zoe["contacts"][0], f"{API}/patients/{zoe['id']}"
        there = f"{API}/contacts/{rosa['contact_id']}"
        assert (await desk.patch(there, json={"is_active": False})).status_code == 200
        gone = await get(desk, f"patients/{zoe['id']}")
        assert (gone["contacts"], gone["version"]) == ([], 2)
        refused = await desk.patch(path, json={"contacts": [rosa]})
        assert refused.json()["errors"][0]["field"] == "contacts[0].contact_id"
        await desk.patch(path, json={"contacts": [{"name": "Ana Ruiz", "relationship": "guardian"}]})
        await desk.patch(there, json={"is_active": True})
        back = await get(desk, f"patients/{zoe['id']}")
        assert sorted(each["name"] for each in back["contacts"]) == ["Ana Ruiz", "Rosa Núñez"]


async def test_who_recorded_the_consent(client: Client, organization: Organization) -> None:
    async with (
        client(organization.tokens["scheduler"]) as desk,
        client(organization.tokens["admin"]) as admin,
    ):
        made = (await desk.post(f"{API}/contacts", json=ROSA)).json()
        assert (made["consented_on"], made["consent_recorded_by"]) == (None, None)
        path = f"{API}/contacts/{made['id']}"
        given = (await desk.patch(path, json={"consented_on": "2026-01-31"})).json()
        assert given["consent_recorded_by"] == organization.user_ids["scheduler"]
        renamed = (await admin.patch(path, json={"consented_on": "2026-01-31", "language": "en"})).json()
        assert renamed["consent_recorded_by"] == organization.user_ids["scheduler"], (
            "it was not recorded anew"
        )
        anew = (await admin.patch(path, json={"consented_on": "2026-02-28"})).json()
        assert anew["consent_recorded_by"] == organization.user_ids["admin"]
        withdrawn = (await desk.patch(path, json={"consented_on": None})).json()
        assert (withdrawn["consented_on"], withdrawn["consent_recorded_by"]) == (None, None)


async def test_the_beginning_of_any_name_finds_a_contact(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        await desk.post(f"{API}/contacts", json=ROSA)
        for typed, count in (("nun", 1), ("ROSA N", 1), ("osa", 0)):
            assert (await get(desk, "contacts", q=typed))["total"] == count, typed
        found = (await get(desk, "contacts", q="rosa"))["items"][0]
        assert found | ROSA == found


async def test_what_a_contact_may_not_be(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        zoe = await patient(desk, "Zoë", ROSA | MAY)
        rosa = zoe["contacts"][0]
        for wrong, field in (
            ({"name": ""}, "name"), ({"phone": "call me"}, "phone"), ({"email": "rosa"}, "email"),
            ({"language": "spanish!"}, "language"), ({"channel": "fax"}, "channel"), ({"phone": None}, "channel"),
            ({"consented_on": "2026-02-30"}, "consented_on"),
        ):  # fmt: skip
            answer = await desk.post(f"{API}/contacts", json=ROSA | wrong)
            assert answer.status_code == 422, wrong
            assert answer.json()["errors"][0]["field"] == field
        for entries, field in (
            ([{"name": "A"}], "contacts[0]"),
            ([{"relationship": "parent"}], "contacts[0].name"),
            ([ROSA | {"relationship": "friend"}], "contacts[0].relationship"),
            ([MAY | {"name": "A"}, MAY | {"name": "B", "channel": "sms"}], "contacts[1].channel"),
            ([rosa, rosa], "contacts"),
            ([rosa | {"phone": "+1 602 555 0199"}], "contacts[0].phone"),
        ):  # fmt: skip
            answer = await desk.patch(f"{API}/patients/{zoe['id']}", json={"contacts": entries})
            assert answer.status_code == 422, entries
            assert answer.json()["errors"][0]["field"] == field, answer.text
        assert (await get(desk, "contacts"))["total"] == 1, "what was refused has made nobody"


async def test_a_foreign_contact_is_like_a_random_one(
    client: Client, organization: Organization, stranger: Organization
) -> None:
    async with client(stranger.tokens["admin"]) as foreign:
        theirs = (await patient(foreign, "CANARY", {"name": "CANARY Parent", "relationship": "parent"}))[
            "contacts"
        ][0]
    async with client(organization.tokens["admin"]) as admin:
        zoe = await patient(admin, "Zoë")
        said = []
        for each in (theirs["contact_id"], ids.new()):
            body = {"contacts": [{"contact_id": each, "relationship": "parent"}]}
            answer = await admin.patch(f"{API}/patients/{zoe['id']}", json=body)
            assert (await get(admin, "patients", contact_id=each))["items"] == []
            said.append(
                (answer.status_code, answer.json()["code"], answer.json()["field"], "CANARY" in answer.text)
            )
        assert said == [(404, "not_found", "contact_id", False)] * 2


@pytest.mark.parametrize(
    ("role", "status"), [("scheduler", 200), ("practitioner", 200), ("biller", 200), ("auditor", 200), ("patient", 403)]
)  # fmt: skip
async def test_a_guardian_sees_no_other_familys_contacts(
    client: Client, organization: Organization, role: str, status: int
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        zoe = await patient(admin, "Zoë", ROSA | MAY)
        rosa = zoe["contacts"][0]["contact_id"]
    async with client(organization.tokens[role]) as user:
        for path in ("contacts", f"contacts/{rosa}", "patients", f"patients/{zoe['id']}"):
            answer = await user.get(f"{API}/{path}")
            assert answer.status_code == status, path
            assert ("rosa@mail.example" in answer.text) is (status == 200), path
        may = 200 if role == "scheduler" else 403
        assert (await user.patch(f"{API}/contacts/{rosa}", json={"language": "en"})).status_code == may


async def test_how_they_are_reached_is_sealed_and_told_to_nobody(
    application: Application, client: Client, organization: Organization
) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        zoe = await patient(desk, "Zoë", ROSA | MAY)
        rosa = zoe["contacts"][0]["contact_id"]
        await desk.patch(f"{API}/contacts/{rosa}", json={"email": "other@mail.example"})
        async with writing(application, organization.id) as connection:
            stored = await connection.fetchval("select c::text from contacts c where c.id = $1", rosa)
            events = await connection.fetch("select kind, body::text as body from events order by seq")
            audit = await connection.fetchval("select string_agg(a::text, '') from audit a")
    said = "".join(row["body"] for row in events)
    for secret in ("555 0142", "rosa@mail", "other@mail"):
        assert secret not in stored
    for secret in ("555 0142", "mail.example", "Rosa", "Núñez"):
        assert secret not in said + audit
    assert [row["kind"] for row in events[1:]] == [
        "contact.created", "patient.created", "contact.changed", "patient.changed",
    ]  # fmt: skip
    assert '"version": 2' in events[-1]["body"].replace('":2', '": 2')


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ("channel = 'email', email_encrypted = null", "contacts_channel_reachable"),
        ("channel = 'fax'", "contacts_channel_known"),
        ("consented_on = '2026-01-31'", "contacts_consent_whole"),
        ("language = 'x'", "contacts_language_length"),
        ("name = ''", "contacts_name_length"),
    ],
)
async def test_storage_holds_what_the_decoder_says(
    application: Application, client: Client, organization: Organization, change: str, law: str
) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        await desk.post(f"{API}/contacts", json=ROSA)
    async with writing(application, organization.id) as connection:
        with pytest.raises(asyncpg.CheckViolationError, match=law):
            await connection.execute(f"update contacts set {change}")


async def test_time_can_be_claimed_on_a_contact(practice: Practice) -> None:
    """Each is a resource with one seat, however it was made and however often it is changed; never with another."""
    rosa = await practice.make("contacts", "rosa", name="Rosa")
    await practice.change("contacts", "rosa", name="Rosa Maria")
    patient = await practice.change("patients", "pat", contacts=[
        {"contact_id": rosa, "relationship": "parent"}, {"name": "Luis", "relationship": "grandparent"}
    ])  # fmt: skip
    seats = await practice.stored(
        "select s.resource_id::text, s.seat, r.kind from resource_seats s"
        " join resources r on r.organization_id = $1 and r.id = s.resource_id"
        " where s.organization_id = $1 and s.kind = 'contact' order by s.resource_id"
    )
    expected = sorted(each["contact_id"] for each in patient["contacts"])
    assert [tuple(seat) for seat in seats] == [(each, 0, "contact") for each in expected]
    async with writing(practice.application, practice.organization.id) as connection:
        with pytest.raises(asyncpg.CheckViolationError, match="resource_seats_contact_one"):
            await connection.execute(
                "insert into resource_seats select organization_id, resource_id, 1, kind from resource_seats"
                " where kind = 'contact'"
            )
