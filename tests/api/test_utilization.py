"""/utilization: where authorizations lead, to those who may know, and as a table that is safe to open."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from api.people import Client, Organization, writing
from api.practice import ZONE, Practice, at
from api.second_factor import code_of, enrolled, forget_codes

from holdfast import ids
from holdfast.api import csv_table

UTILIZATION = "/api/v1/utilization"
FLAGS = ("expiring", "over_80_percent", "will_run_out", "will_go_unused")


def today() -> date:
    return datetime.now(UTC).astimezone(ZoneInfo(ZONE)).date()


async def authorized(
    practice: Practice, called: str, ends: int, total: int = 100, used: int = 0, **more: Any
) -> str:
    """One that began fifty days ago and ends so many days from today, with so much used."""
    made = await practice.make("authorizations", called, **{
        "patient_id": practice.made["pat"], "payer_id": practice.made["payer"], "service_codes": ["97153"],
        "total_units": total, "start_date": str(today() - timedelta(days=49)),
        "end_date": str(today() + timedelta(days=ends)),
    } | more)  # fmt: skip
    async with writing(practice.application, practice.organization.id) as connection:
        await connection.execute(
            "update authorizations set used_units = $3 where organization_id = $1 and id = $2",
            practice.organization.id, made, used,
        )  # fmt: skip
    return made


async def asked(user: httpx2.AsyncClient, **given: Any) -> Any:
    answer = await user.get(UTILIZATION, params=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def called(practice: Practice, **given: Any) -> list[str]:
    """What is listed, by the names of the tests, in its order."""
    names = {made: name for name, made in practice.made.items()}
    return [names[each["id"]] for each in (await asked(practice.admin, **given))["items"]]


async def test_each_is_told_with_where_it_leads(practice: Practice) -> None:
    await authorized(practice, "even", 50, used=50)
    await authorized(practice, "fast", 49, used=90)
    await authorized(practice, "slow", 20, used=10)
    await authorized(practice, "over", -1)
    page = await asked(practice.admin)
    names = {made: name for name, made in practice.made.items()}
    seen = {names[each["id"]]: each for each in page["items"]}
    assert list(seen)[:3] == ["slow", "fast", "even"], (
        "those first that end first; what has ended is not there"
    )
    assert set(seen) == {"slow", "fast", "even", "authorization"}
    even, fast, slow = seen["even"], seen["fast"], seen["slow"]
    assert (even["pace"], even["units_per_week"], even["patient_name"]) == (1, 7, "Pat Person")
    assert [flag for flag in FLAGS if even[flag]] == []
    assert [flag for flag in FLAGS if fast[flag]] == ["over_80_percent", "will_run_out"]
    assert fast["run_out_date"] == str(today() + timedelta(days=6))
    assert [flag for flag in FLAGS if slow[flag]] == ["expiring", "will_go_unused"]
    assert (slow["unused_units"], slow["run_out_date"]) == (86, None)
    assert page["date"] == str(today())
    counts = {flag: sum(each[flag] for each in seen.values()) for flag in FLAGS}
    assert page["counts"] == counts


async def test_a_booked_visit_counts_until_its_day(practice: Practice) -> None:
    """The last visit to come that holds units of it, in its clinic's calendar; others do not matter."""
    await practice.book(at(9), service_id="funded")
    last = await practice.book(at(9, day=1), service_id="funded")
    await practice.book(at(9, day=2))
    (seen,) = (await asked(practice.admin))["items"]
    start = date.fromisoformat(seen["start_date"])
    days = (datetime.fromisoformat(last["start"]).astimezone(ZoneInfo(ZONE)).date() - start).days + 1
    assert seen["scheduled_units"] == 8
    assert seen["units_per_week"] == round(8 * 7 / days, 1)


async def test_the_filters(practice: Practice) -> None:
    await practice.make("payers", "other payer", name="Other")
    await authorized(practice, "quins", 40, patient_id=practice.made["quin"], used=40)
    await authorized(practice, "others", 10, payer_id=practice.made["other payer"], total=10, used=9)
    await practice.book(at(9), patient_id="quin")
    cancelled = await authorized(practice, "gone", 5)
    async with writing(practice.application, practice.organization.id) as connection:
        await connection.execute(
            "update authorizations set approval = 'cancelled' where organization_id = $1 and id = $2",
            practice.organization.id, cancelled,
        )  # fmt: skip
    assert (await called(practice))[0] == "others"
    assert sorted(await called(practice)) == ["authorization", "others", "quins"]
    assert await called(practice, patient_id=practice.made["quin"]) == ["quins"]
    assert await called(practice, payer_id=practice.made["other payer"]) == ["others"]
    assert await called(practice, clinic_id=practice.made["clinic"]) == ["quins"]
    assert await called(practice, expiring_within_days=10) == ["others"]
    assert await called(practice, expiring_within_days=9) == []
    assert await called(practice, flag="over_80_percent") == ["others"]
    for name in ("patient_id", "payer_id", "clinic_id"):
        assert await called(practice, **{name: ids.new()}) == []
    page = await asked(practice.admin, flag="over_80_percent", page_size=1)
    assert (page["total"], page["total_pages"], page["counts"]["over_80_percent"]) == (1, 1, 1)
    second = await asked(practice.admin, page=2, page_size=2)
    assert (len(second["items"]), second["total"], second["total_pages"]) == (1, 3, 2)
    for wrong in ({"flag": "late"}, {"expiring_within_days": -1}, {"page_size": 101}):
        answer = await practice.admin.get(UTILIZATION, params=wrong)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(wrong)))


async def seen_by(client: Client, organization: Organization, role: str, **given: Any) -> list[str]:
    """The patients of whom the role is told; as a table it is the same."""
    async with client(organization.tokens[role]) as user:
        told = sorted(each["patient_id"] for each in (await asked(user, **given))["items"])
        answer = await user.get(UTILIZATION, params=given, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert sorted(row["patient_id"] for row in rows) == told
    return told


async def test_each_role_is_told_of_those_it_reaches(practice: Practice, client: Client) -> None:
    organization = practice.organization
    pat, own = practice.made["pat"], organization.patient_id
    await authorized(practice, "own", 30, patient_id=own)
    for role in ("admin", "scheduler", "biller", "auditor"):
        assert await seen_by(client, organization, role) == sorted([pat, own]), role
    assert await seen_by(client, organization, "patient") == [own]
    assert await seen_by(client, organization, "patient", patient_id=pat) == []
    assert await seen_by(client, organization, "practitioner") == []
    practice.made |= {"mine": organization.practitioner_id, "me": own}
    await practice.admin.patch(
        f"/api/v1/practitioners/{organization.practitioner_id}",
        json={"clinic_ids": [practice.made["clinic"]], "working_hours": [
            {"clinic_id": practice.made["clinic"], "weekday": day, "start": "08:00", "end": "18:00"} for day in range(5)
        ]},
    )  # fmt: skip
    await practice.book(at(9), patient_id="me", practitioner_id="mine")
    assert await seen_by(client, organization, "practitioner") == [own]


async def test_a_break_glass_opens_the_named_patients(practice: Practice, client: Client) -> None:
    organization, pat = practice.organization, practice.made["pat"]
    secret = await enrolled(client, organization.tokens["admin"])
    async with client(organization.tokens["practitioner"]) as user:
        body = {"patient_id": pat, "minutes": 30, "justification": "covers for a colleague who is ill"}
        glass = f"/api/v1/break-glass/{(await user.post('/api/v1/break-glass', json=body)).json()['id']}"
    assert await seen_by(client, organization, "practitioner", patient_id=pat) == []
    await forget_codes(practice.application, organization)
    assert (await practice.admin.post(f"{glass}/approve", json={"totp": code_of(secret)})).status_code == 200
    assert await seen_by(client, organization, "practitioner", patient_id=pat) == [pat]
    assert await seen_by(client, organization, "practitioner") == []
    uses = (await practice.admin.get(f"{glass}/uses")).json()["items"]
    assert [use["action"] for use in uses] == ["GET /api/v1/utilization"] * 2


async def test_the_table_cannot_carry_a_formula(practice: Practice) -> None:
    """A name that a spreadsheet would run, in every column that somebody else's words reach."""
    for n, begins in enumerate(("=", "+", "-", "@", "\uff1d")):
        word = f'{begins}HYPERLINK("http://canary.example","x")'
        patient = await practice.make(
            "patients", f"evil {n}", given_name=word, family_name="Person", birth_date="2015-05-05"
        )
        payer = await practice.make("payers", f"evil payer {n}", name=word)
        await authorized(
            practice, f"evil units {n}", n + 1, patient_id=patient, payer_id=payer, authorization_number=word,
            service_codes=[f"{begins}CODE"],
        )  # fmt: skip
    answer = await practice.admin.get(UTILIZATION, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="utilization.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == 6
    for row in rows[:5]:
        for column in ("patient_name", "payer", "authorization_number", "service_codes"):
            assert row[column][0] == "'", row[column]
    assert not [value for row in rows for value in row.values() if value[:1] in set("=+-@\t\r\uff1d")]
    assert rows[5]["patient_name"] == "Pat Person"
    assert (rows[5]["total_units"], rows[5]["will_run_out"]) == ("20", "false")


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("a;=1+1", "a;'=1+1"), ("a\t@x", "a\t'@x"), ("a; -1", "a; '-1"), ("a\r\n+1", "a\r\n'+1"), (" =1", " '=1"),
        ("\ta", "'\ta"), ("a-b=c;d", "a-b=c;d"),
    ],
)  # fmt: skip
def test_a_formula_cannot_hide_behind_another_separator(text: str, guarded: str) -> None:
    (row,) = csv.DictReader(io.StringIO(csv_table.table(["text"], [{"text": text}]).decode(), newline=""))
    assert row["text"] == guarded


async def test_the_table_is_whole_unless_a_page_is_asked(practice: Practice) -> None:
    for n in range(3):
        await authorized(practice, f"one {n}", n)
    for given, count in (({}, 4), ({"page_size": 2}, 2), ({"page": 2, "page_size": 3}, 1)):
        answer = await practice.admin.get(UTILIZATION, params=given, headers={"Accept": "text/csv"})
        assert len(answer.text.splitlines()) == count + 1, given
        assert "as-of-seq" in answer.headers


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False), ("*/*", False), ("application/json", False), ("text/csv", True), ("TEXT/CSV;header=present", True),
        ("text/csv, */*;q=0.1", True), ("application/json, text/csv;q=0.5", False), ("text/csv;q=0", False),
        ("text/csv;q=x", False), ("text/html,text/csv;q=0.9,application/json;q=0.8", True),
    ],
)  # fmt: skip
def test_a_table_is_given_to_whoever_names_it(accept: str, wanted: bool) -> None:
    assert csv_table.is_wanted(accept) is wanted
