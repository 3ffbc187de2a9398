"""What /patients say of whom a patient may be with, when, and in which language."""

from typing import Any

import httpx2
from api.people import Client, Organization, writing

from holdfast.app import Application

API = "/api/v1"
MAX = {"given_name": "Max", "family_name": "Oyelaran", "birth_date": "2014-09-09"}


async def practitioner(client: httpx2.AsyncClient, name: str) -> str:
    answer = await client.post(f"{API}/practitioners", json={"name": name})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def refused(client: httpx2.AsyncClient, path: str, **fields: Any) -> str:
    answer = await client.patch(path, json=fields)
    assert answer.status_code == 422, answer.text
    field: str = answer.json()["errors"][0]["field"]
    return field


async def test_excluded_and_preferred_practitioners(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        ben, eva, kim = sorted([await practitioner(admin, name) for name in ("Ben", "Eva", "Kim")])
        made = await admin.post(f"{API}/patients", json=MAX | {"excluded_practitioner_ids": [kim, ben]})
        assert made.status_code == 201, made.text
        new, path = made.json(), f"{API}/patients/{made.json()['id']}"
        assert (new["excluded_practitioner_ids"], new["preferred_practitioner_ids"]) == ([ben, kim], [])
        same = await admin.patch(path, json={"excluded_practitioner_ids": [kim, ben]})
        assert same.json()["version"] == 1, "the order says nothing"
        both = (await admin.patch(path, json={"preferred_practitioner_ids": [eva]})).json()
        assert (both["excluded_practitioner_ids"], both["preferred_practitioner_ids"]) == ([ben, kim], [eva])
        assert (await admin.get(path)).json() == both
        assert await refused(admin, path, preferred_practitioner_ids=[ben]) == "preferred_practitioner_ids"
        assert (
            await refused(admin, path, preferred_practitioner_ids=[eva, eva]) == "preferred_practitioner_ids"
        )
        swapped = {"excluded_practitioner_ids": [eva], "preferred_practitioner_ids": [ben]}
        changed = (await admin.patch(path, json=swapped)).json()
        assert changed | swapped == changed
        assert (await admin.patch(path, json={"needs": []})).json()["excluded_practitioner_ids"] == [eva]


async def test_language_and_interpreter(
    application: Application, client: Client, organization: Organization
) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        made = (await desk.post(f"{API}/patients", json=MAX)).json()
        assert (made["language"], made["needs_interpreter"]) == (None, False)
        path = f"{API}/patients/{made['id']}"
        speaks = {"language": "pt-BR", "needs_interpreter": True}
        assert (await desk.patch(path, json=speaks)).json() | speaks == (await desk.get(path)).json()
        assert (await desk.patch(path, json={"language": None})).json()["language"] is None
        assert await refused(desk, path, language="portuguese of Brazil") == "language"
        await desk.patch(path, json=speaks)
    async with writing(application, organization.id) as connection:
        told = await connection.fetchval(
            "select string_agg(e::text, '') || (select string_agg(a::text, '') from audit a) from events e"
        )
    assert "pt-BR" not in told


async def test_when_a_patient_can_come(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        after_school = [
            {"weekday": 0, "start": "15:00", "end": "24:00"}, {"weekday": 2, "start": "15:30", "end": "18:00"},
        ]  # fmt: skip
        made = (await desk.post(f"{API}/patients", json=MAX | {"availability": after_school})).json()
        path = f"{API}/patients/{made['id']}"
        assert made["availability"] == after_school == (await desk.get(path)).json()["availability"]
        overlapping = [*after_school, {"weekday": 2, "start": "17:00", "end": "19:00"}]
        assert await refused(desk, path, availability=overlapping) == "availability[2]"
        reversed_hours = [{"weekday": 2, "start": "17:00", "end": "16:00"}]
        assert await refused(desk, path, availability=reversed_hours) == "availability[0].end"
        assert (await desk.patch(path, json={"availability": []})).json()["availability"] == []


async def test_a_server_of_the_release_before_takes_nothing_away(
    application: Application, client: Client, organization: Organization
) -> None:
    """Its documents know nothing of contacts, coverages, practitioners, languages and availability."""
    async with client(organization.tokens["admin"]) as admin:
        ben = await practitioner(admin, "Ben")
        payer = (await admin.post(f"{API}/payers", json={"name": "Sun Health"})).json()["id"]
        full = MAX | {
            "contacts": [{"name": "Rosa", "relationship": "parent"}], "coverages": [{"payer_id": payer}],
            "excluded_practitioner_ids": [ben], "language": "es", "needs_interpreter": True,
            "availability": [{"weekday": 0, "start": "15:00", "end": "18:00"}],
        }  # fmt: skip
        new = (await admin.post(f"{API}/patients", json=full)).json()
        async with writing(application, organization.id) as connection:
            await connection.execute(
                "select patient_save($1, json_build_object('id', $2::text, 'given_name', 'Max', 'family_name', 'Other',"
                " 'search_name', 'other max', 'search_terms', array['other max'], 'birth_date', '2014-09-09',"
                " 'needs', array[]::text[], 'is_active', true, 'version', 2), now())",
                organization.id, new["id"],
            )  # fmt: skip
        after = (await admin.get(f"{API}/patients/{new['id']}")).json()
        kept = set(full) - {"family_name"}
        assert {name: after[name] for name in kept} == {name: new[name] for name in kept}
        assert after["family_name"] == "Other"
