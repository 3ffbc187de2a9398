"""A guardian's login: one person, several patients, and nothing of anybody else's."""

from typing import Any

import httpx2
import pytest
from api.people import PASSWORD, Client, sign_in
from api.practice import API, VISITS, Practice, at

EMAIL = "rosa@guardians.example"


@pytest.fixture
async def rosa(practice: Practice, client: Client) -> Any:
    """Rosa is Pat's mother and Quin's guardian, and a teacher of a third child."""
    contact = await practice.make("contacts", "rosa", name="Rosa")
    await practice.make("patients", "third", given_name="T", family_name="Person", birth_date="2015-05-05")
    for name, relationship in (("pat", "parent"), ("quin", "guardian"), ("third", "teacher")):
        contacts = [{"contact_id": contact, "relationship": relationship}]
        await practice.change("patients", name, contacts=contacts)
    await practice.make("users", "login", email=EMAIL, password=PASSWORD, role="patient", contact_id=contact)
    tokens = await sign_in(client, EMAIL)
    async with client(tokens["access_token"]) as user:
        yield user


async def starts(user: httpx2.AsyncClient, **query: Any) -> list[str]:
    answer = await user.get(VISITS, params=query)
    assert answer.status_code == 200, answer.text
    return [each["start"] for each in answer.json()["items"]]


async def test_a_guardian_sees_their_children_and_nobody_else(
    practice: Practice, rosa: httpx2.AsyncClient
) -> None:
    me = (await rosa.get(f"{API}/auth/me")).json()
    assert "patient_id" not in me
    assert set(me["patient_ids"]) == {practice.made["pat"], practice.made["quin"]}
    await practice.book(at(9))
    await practice.book(at(10), patient_id="quin")
    await practice.book(at(11))
    await practice.book(at(12), patient_id="third")
    assert await starts(rosa) == [at(9), at(10), at(11)]
    assert await starts(rosa, page_size=2, page=2) == [at(11)]
    counted = (await rosa.get(VISITS, params={"page_size": 2})).json()
    assert (counted["total"], counted["total_pages"]) == (3, 2)
    assert await starts(rosa, patient_id=practice.made["quin"]) == [at(10)]
    assert await starts(rosa, patient_id=practice.made["third"]) == []
    day = at(9)[:10]
    query = {"clinic_id": practice.made["clinic"], "start_date": day, "end_date": day}
    seen = (await rosa.get(f"{API}/calendar", params=query)).json()["appointments"]
    assert {each["patient_id"] for each in seen} == {practice.made["pat"], practice.made["quin"]}


@pytest.mark.usefixtures("rosa")
async def test_who_is_no_contact_any_more_sees_nothing(practice: Practice, client: Client) -> None:
    await practice.book(at(9))
    for name in ("pat", "quin"):
        await practice.change("patients", name, contacts=[])
    tokens = await sign_in(client, EMAIL)
    async with client(tokens["access_token"]) as again:
        assert (await again.get(f"{API}/auth/me")).json()["patient_ids"] == []
        assert await starts(again) == []


async def test_a_login_is_somebodys(practice: Practice) -> None:
    contact = await practice.make("contacts", "hugo", name="Hugo")
    for fields, field in (
        ({"role": "patient"}, "patient_id"),
        ({"role": "scheduler", "contact_id": contact}, "contact_id"),
    ):
        body = {"email": "x@guardians.example", "password": PASSWORD, **fields}
        problem = practice.problem(await practice.admin.post(f"{API}/users", json=body), 422)
        assert problem["errors"][0]["field"] == field
    unknown = {"email": "x@guardians.example", "password": PASSWORD, "role": "patient",
               "contact_id": practice.made["clinic"]}  # fmt: skip
    problem = practice.problem(await practice.admin.post(f"{API}/users", json=unknown), 404)
    assert problem["field"] == "contact_id"
