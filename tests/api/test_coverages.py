"""The coverages of /patients: who is asked to pay, in which order, from when to when."""

from typing import Any

import asyncpg
import httpx2
import pytest
from api.people import Client, Organization, writing

from holdfast import ids
from holdfast.app import Application

API = "/api/v1"
SAM = {"given_name": "Sam", "family_name": "Reed", "birth_date": "2016-04-01"}


async def payer(client: httpx2.AsyncClient, name: str) -> str:
    answer = await client.post(f"{API}/payers", json={"name": name})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


def coverage(of: str, rank: int = 1, since: str | None = None, until: str | None = None) -> dict[str, Any]:
    return {"payer_id": of, "member_number": "SH-0042", "rank": rank, "valid_from": since, "valid_to": until}


async def test_coverages_come_and_go_with_the_patient(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin, client(organization.tokens["biller"]) as biller:
        sun, state = await payer(admin, "Sun Health"), await payer(admin, "State Plan")
        held = [coverage(sun, 1, "2026-01-01"), coverage(state, 2)]
        sam = (await admin.post(f"{API}/patients", json=SAM | {"coverages": held})).json()
        assert sam["coverages"] == held
        path = f"{API}/patients/{sam['id']}"
        assert (await biller.get(path)).json()["coverages"] == held, "a biller reads them"
        assert (await admin.get(f"{API}/patients")).json()["items"][-1]["coverages"] == held
        same = await admin.patch(path, json={"coverages": held})
        assert same.json()["version"] == 1
        turned = [
            coverage(sun, 1, None, "2026-06-30"),
            coverage(state, 1, "2026-07-01"),
            coverage(sun, 2, "2026-07-01"),
        ]
        changed = await admin.patch(path, json={"coverages": turned}, headers={"If-Match": '"1"'})
        assert (changed.json()["coverages"], changed.json()["version"]) == (turned, 2)
        assert (await admin.patch(path, json={"needs": ["step-free"]})).json()["coverages"] == turned
        least = (await admin.patch(path, json={"coverages": [{"payer_id": sun}]})).json()["coverages"]
        assert least == [coverage(sun) | {"member_number": ""}]
        assert (await biller.patch(path, json={"coverages": []})).status_code == 403
        assert (await admin.patch(path, json={"coverages": []})).json()["coverages"] == []


async def test_a_rank_is_one_coverages_at_a_time(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        sun = await payer(admin, "Sun Health")
        for coverages, field in (
            ([coverage(sun), coverage(sun)], "coverages[1].rank"),
            ([coverage(sun, 1, None, "2026-06-30"), coverage(sun, 1, "2026-06-30")], "coverages[1].rank"),
            (
                [coverage(sun, 2, "2026-01-01", "2026-12-31"), coverage(sun, 2, "2025-01-01")],
                "coverages[1].rank",
            ),
            ([coverage(sun, 1, "2026-06-30", "2026-06-29")], "coverages[0].valid_to"),
            ([coverage(sun, 0)], "coverages[0].rank"),
            ([coverage(sun, 11)], "coverages[0].rank"),
            ([coverage(sun) | {"member_number": "x" * 101}], "coverages[0].member_number"),
            ([coverage("nobody")], "coverages[0].payer_id"),
        ):
            answer = await admin.post(f"{API}/patients", json=SAM | {"coverages": coverages})
            assert answer.status_code == 422, coverages
            assert answer.json()["errors"][0]["field"] == field, answer.text


async def test_a_foreign_payer_is_like_a_random_one(
    client: Client, organization: Organization, stranger: Organization
) -> None:
    async with client(stranger.tokens["admin"]) as foreign:
        theirs = await payer(foreign, "CANARY Health")
    async with client(organization.tokens["admin"]) as admin:
        said = []
        for each in (theirs, ids.new()):
            answer = await admin.post(f"{API}/patients", json=SAM | {"coverages": [coverage(each)]})
            said.append((answer.status_code, answer.json()["code"], answer.json()["field"]))
        assert said == [(404, "not_found", "payer_id")] * 2


async def test_events_and_audit_tell_no_coverage(
    application: Application, client: Client, organization: Organization
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        sun = await payer(admin, "Sun Health")
        await admin.post(f"{API}/patients", json=SAM | {"coverages": [coverage(sun)]})
    async with writing(application, organization.id) as connection:
        told = await connection.fetchval(
            "select string_agg(e::text, '') || (select string_agg(a::text, '') from audit a) from events e"
        )
    assert "patient.created" in told
    assert "SH-0042" not in told


@pytest.mark.parametrize(
    ("since", "until", "law"),
    [
        ("null", "null", "coverages_rank_once"),
        ("'2026-12-31'", "null", "coverages_rank_once"),
        ("'2027-02-01'", "'2027-01-01'", "coverages_not_reversed"),
        ("'2027-01-01'", "null", ""),
    ],
)
async def test_storage_holds_one_coverage_of_a_rank(
    application: Application, client: Client, organization: Organization, since: str, until: str, law: str
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        sun = await payer(admin, "Sun Health")
        held = [coverage(sun, 1, "2026-01-01", "2026-12-31")]
        await admin.post(f"{API}/patients", json=SAM | {"coverages": held})
    another = (
        "insert into coverages (organization_id, patient_id, position, payer_id, valid_from, valid_to)"
        f" select organization_id, patient_id, 9, payer_id, {since}, {until} from coverages"
    )
    async with writing(application, organization.id) as connection:
        if law:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=law):
                await connection.execute(another)
        else:
            assert await connection.execute(another) == "INSERT 0 1"
