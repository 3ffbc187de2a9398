"""/patients: found as their name is typed; alerts are sealed; who may be the same person."""

from typing import Any

import httpx2
from api.people import Client, Organization, writing
from hypothesis import given
from hypothesis import strategies as st

from holdfast.app import Application
from holdfast.commands import names

PATIENTS = "/api/v1/patients"


async def new(
    client: httpx2.AsyncClient, given: str, family: str, birth: str = "2015-05-05", **more: Any
) -> Any:
    body = {"given_name": given, "family_name": family, "birth_date": birth, **more}
    answer = await client.post(PATIENTS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_beginning_of_any_name_finds(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        await new(desk, "José María", "Ruiz-López")
        await new(desk, "Anna", "O\u2019Brien")
        for typed in (
            "jos", "JOSE MAR", "ruiz", "lopez", "López J", "ruiz lopez jose", "maria", "Jose Maria R", " jose  maria ",
        ):  # fmt: skip
            found = (await desk.get(PATIENTS, params={"q": typed})).json()
            assert [each["family_name"] for each in found["items"]] == ["Ruiz-López"], typed
            assert found["total"] == 1
        for typed in ("obr", "o'brien a", "ANNA O"):
            found = (await desk.get(PATIENTS, params={"q": typed})).json()
            assert [each["family_name"] for each in found["items"]] == ["O\u2019Brien"], typed
        for typed in ("ose", "ruiz j", "zz", "%", "_"):
            found = (await desk.get(PATIENTS, params={"q": typed, "birth_date": "2015-05-06"})).json()
            assert found["items"] == [], typed


async def test_a_new_name_is_found_and_the_old_is_not(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        patient = await new(desk, "Mia", "Stone")
        await desk.patch(f"{PATIENTS}/{patient['id']}", json={"family_name": "Rivers"})
        assert (await desk.get(PATIENTS, params={"q": "rivers"})).json()["total"] == 1
        assert (await desk.get(PATIENTS, params={"q": "stone"})).json()["total"] == 0
        await desk.patch(f"{PATIENTS}/{patient['id']}", json={"is_active": False})
        assert (await desk.get(PATIENTS, params={"q": "riv", "is_active": "true"})).json()["total"] == 0


async def test_people_who_may_be_the_same(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        first = await new(desk, "Katherine", "Smith", "1990-01-01")
        assert first["possible_duplicates"] == []

        async def suspects(given: str, family: str, birth: str) -> list[str]:
            return [each["id"] for each in (await new(desk, given, family, birth))["possible_duplicates"]]

        assert await suspects("Kate", "Smyth", "1990-01-01") == [first["id"]]
        assert await suspects("Omar", "Haddad", "1990-01-01") == []
        assert await suspects("KATHERINE", "Smith", "2001-01-01") == [first["id"]]
        assert await suspects("Kit", "Smyth", "1990-01-02") == []


async def test_people_whose_names_were_typed_otherwise(client: Client, organization: Organization) -> None:
    """Of one birth date: given and family name exchanged, or a letter apart; who has name and date comes first."""
    async with client(organization.tokens["scheduler"]) as desk:

        async def suspects(given: str, family: str, birth: str = "1990-01-01") -> list[str]:
            return [each["id"] for each in (await new(desk, given, family, birth))["possible_duplicates"]]

        lee = await new(desk, "Ana María", "Lee", "1990-01-01")
        assert await suspects("Lee", "Ana Maria") == [lee["id"]]
        assert await suspects("Lee", "Ana Maria", "1991-01-01") != [lee["id"]], (
            "exchanged, and of another date"
        )
        other = await new(desk, "Tom", "Kim", "1980-05-05")
        for given, family in (("Tom", "Kin"), ("Tom", "Ki"), ("Tom", "Kimm"), ("Tom", "Ikm")):
            assert other["id"] in await suspects(given, family, "1980-05-05"), family
        assert other["id"] not in await suspects("Tom", "Chan", "1980-05-05")
        earlier = await new(desk, "Jo", "Park", "2000-01-01")
        same = await new(desk, "Jo", "Park", "1999-09-09")
        assert await suspects("Jo", "PARK", "1999-09-09") == [same["id"], earlier["id"]]


async def test_alerts_are_sealed_and_opened(
    application: Application, client: Client, organization: Organization
) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        patient = await new(desk, "Mia", "Stone", alerts="bites when startled")
        assert patient["alerts"] == "bites when startled"
        path = f"{PATIENTS}/{patient['id']}"
        assert (await desk.get(path)).json()["alerts"] == "bites when startled"
        async with writing(application, organization.id) as connection:
            stored = await connection.fetchval(
                "select alerts_encrypted from patients where id = $1", patient["id"]
            )
            everything = await connection.fetchval(
                "select string_agg(e::text, '') || (select string_agg(a::text, '') from audit a) from events e"
            )
        assert b"bites" not in stored
        assert "Stone" not in everything
        assert "bites" not in everything
        assert (await desk.patch(path, json={"alerts": None})).json()["alerts"] is None
        assert (await desk.patch(path, json={"alerts": ""})).status_code == 422


async def test_names_storage_would_refuse(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["scheduler"]) as desk:
        body = {"given_name": "A", "family_name": "B", "birth_date": "2015-05-05"}
        for field, value in (
            ("given_name", ""), ("given_name", "  "), ("family_name", "x" * 101), ("birth_date", "2015-02-30"),
            ("birth_date", None), ("needs", ["Wheelchair"]), ("needs", ["x" * 41]), ("needs", [""]),
        ):  # fmt: skip
            answer = await desk.post(PATIENTS, json=body | {field: value})
            assert answer.status_code == 422, (field, value)
            assert answer.json()["errors"][0]["field"].startswith(field)
        # One letter that unfolds into eighteen, a hundred times: longer than an index entry may be.
        await new(desk, "\ufdfa" * 100, "\ufdfa" * 100)


def test_folding() -> None:
    assert names.folded("  ÁNGEL  d'Ávila-Straße ") == "angel davila strasse"
    assert names.search_terms("Ana", "Ruiz López") == ["ana ruiz lopez", "lopez ana ruiz", "ruiz lopez ana"]
    assert names.similar("Ruiz", "Ruiz López")
    assert not names.similar("Ng", "Nguyen")


@given(
    st.text("abc", min_size=1, max_size=6),
    st.integers(0, 5),
    st.sampled_from("abcd"),
    st.sampled_from("abcd"),
)
def test_one_slip_of_the_finger_is_seen(name: str, at: int, typed: str, far: str) -> None:
    at = min(at, len(name) - 1)
    slips = {
        name, name[:at] + typed + name[at:], name[:at] + name[at + 1 :], name[:at] + typed + name[at + 1 :],
        name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    }  # fmt: skip
    for slip in slips:
        assert names.one_slip_apart(name, slip), (name, slip)
        assert names.one_slip_apart(slip, name), (name, slip)
    assert not names.one_slip_apart(name, name + "xy")
    assert not names.one_slip_apart("x" + far + name + "y", "z" + far + name + "w")
