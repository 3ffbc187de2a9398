"""/authorizations/{id}/reserve, /release, /consume: only the balance by hand moves, and every answer tells the counters."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from api.people import Client, Organization
from api.practice import API, Practice, at, monday

from holdfast import ids

COUNTERS = ("total_units", "used_units", "scheduled_units", "manual_units", "available_units")


class Ledger:
    """An authorization as the practice's admin moves it; at first one of 20 units."""

    def __init__(self, practice: Practice, called: str = "authorization") -> None:
        self.practice = practice
        self.path = f"{API}/authorizations/{practice.made[called]}"

    async def ask(self, call: str, units: int, **more: Any) -> httpx2.Response:
        headers = more.pop("headers", {})
        return await self.practice.admin.post(
            f"{self.path}/{call}", json={"units": units, **more}, headers=headers
        )

    async def moved(self, call: str, units: int, **more: Any) -> tuple[int, int, int]:
        """Used, scheduled and by hand after a call that is granted."""
        answer = await self.ask(call, units, **more)
        assert answer.status_code == 200, answer.text
        shown = answer.json()
        assert shown == (await self.practice.admin.get(self.path)).json()
        assert answer.headers["etag"] == f'"{shown["version"]}"'
        return shown["used_units"], shown["scheduled_units"], shown["manual_units"]

    async def refused(self, call: str, units: int, code: str, **more: Any) -> Any:
        before = (await self.practice.admin.get(self.path)).json()
        problem = self.practice.problem(await self.ask(call, units, **more), 409)
        assert problem["code"] == code
        assert {name: problem[name] for name in (*COUNTERS, "version")} == {
            name: before[name] for name in (*COUNTERS, "version")
        }
        assert (await self.practice.admin.get(self.path)).json() == before
        return problem


async def test_what_is_reserved_is_released_or_consumed(practice: Practice) -> None:
    ledger = Ledger(practice)
    assert await ledger.moved("reserve", 10, note="by telephone") == (0, 10, 10)
    assert await ledger.moved("release", 3) == (0, 7, 7)
    assert await ledger.moved("consume", 2) == (2, 5, 5), "what is not consumed stays reserved"
    assert await ledger.moved("consume", 1, of_reserved=3) == (3, 2, 2), "unless it was reserved for this"
    entries = (await practice.admin.get(f"{ledger.path}/entries")).json()["items"]
    assert [(e["kind"], e["units"], e["is_manual"], e["note"]) for e in reversed(entries)] == [
        ("reserve", 10, True, "by telephone"), ("release", 3, True, None), ("consume", 2, True, None),
        ("consume", 1, True, None), ("release", 2, True, None),
    ]  # fmt: skip
    rows = await practice.stored(
        "select note_encrypted from authorization_entries where organization_id = $1"
    )
    assert not any(b"telephone" in (row[0] or b"") for row in rows)


async def test_caps_are_shown_and_do_not_bind_what_is_moved_by_hand(practice: Practice) -> None:
    ledger = Ledger(practice)
    caps = [{"code": "97153", "units": 1, "per": "day"}, {"units": 2, "per": "week"}]
    amended = await practice.admin.patch(ledger.path, json={"caps": caps})
    assert amended.json()["caps"] == caps
    assert await ledger.moved("reserve", 5) == (0, 5, 5)


async def test_what_visits_hold_is_not_touched_by_hand(practice: Practice) -> None:
    ledger = Ledger(practice)
    await practice.book(at(9), service_id="funded")
    problem = await ledger.refused("release", 1, "units_not_reserved")
    assert (problem["reserved"], problem["requested"]) == (0, 1)
    assert await ledger.moved("reserve", 2) == (0, 6, 2)
    await ledger.refused("consume", 3, "units_not_reserved")
    await ledger.refused("consume", 1, "units_not_reserved", of_reserved=3)
    problem = await ledger.refused("reserve", 15, "insufficient_units")
    assert (problem["available"], problem["requested"]) == (14, 15)


async def test_a_full_authorization_has_insufficient_units_and_can_be_used_up(practice: Practice) -> None:
    """It was `exhausted` that kept another system from consuming what was reserved."""
    ledger = Ledger(practice)
    assert await ledger.moved("reserve", 20) == (0, 20, 20)
    await ledger.refused("reserve", 1, "insufficient_units")
    assert await ledger.moved("consume", 20) == (20, 0, 0)
    assert (await practice.admin.get(ledger.path)).json()["status"] == "exhausted"
    await ledger.refused("reserve", 1, "insufficient_units")
    await ledger.refused("consume", 1, "units_not_reserved")


async def test_both_dates_are_inside(practice: Practice) -> None:
    ledger = Ledger(practice)
    first, last = monday() - timedelta(days=30), monday() + timedelta(days=30)
    assert await ledger.moved("reserve", 1, date=str(first)) == (0, 1, 1)
    assert await ledger.moved("consume", 1, date=str(last)) == (1, 0, 0)
    for call in ("reserve", "consume"):
        for outside in (first - timedelta(days=1), last + timedelta(days=1)):
            await ledger.refused(call, 1, "authorization_expired", date=str(outside))
    await ledger.moved("reserve", 5)
    assert await ledger.moved("release", 5, date="2001-01-01") == (1, 0, 0), "what is over can be given back"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
async def test_the_last_day_is_not_over_before_it_ends_where_the_organization_is(
    practice: Practice, zone: str
) -> None:
    """At every hour it is another date in one of the two than in UTC; another system counted the last day as expired."""
    changed = await practice.admin.patch(f"{API}/organization", json={"time_zone": zone})
    assert changed.status_code == 200, changed.text
    today = datetime.now(ZoneInfo(zone)).date()
    for first, last, code in (
        (today, today, 200),
        (today - timedelta(days=9), today - timedelta(days=1), 409),
    ):
        made = await practice.make(
            "authorizations", "of one day", patient_id=practice.made["pat"], payer_id=practice.made["payer"],
            service_codes=["97153"], total_units=5, start_date=str(first), end_date=str(last),
        )  # fmt: skip
        for call in ("reserve", "consume"):
            answer = await practice.admin.post(f"{API}/authorizations/{made}/{call}", json={"units": 2})
            assert answer.status_code == code, answer.text


async def test_a_broken_batch_leaks_no_units(practice: Practice) -> None:
    """Another system's nested transactions kept units of requests that failed. Here somebody writes past the turn while many
    ask: whatever has to be decided again, each request has all of its effect or none."""
    await practice.make(
        "authorizations", "other", patient_id=practice.made["quin"], payer_id=practice.made["payer"],
        service_codes=["97153"], total_units=1000, start_date="2020-01-01", end_date="2060-01-01",
    )  # fmt: skip
    ledger, other = Ledger(practice), Ledger(practice, "other")
    await ledger.moved("reserve", 1)
    await practice.stored(
        "update authorizations set used_units = 15, version = version + 1 where organization_id = $1 and id = $2",
        practice.made["authorization"],
    )
    answers = await asyncio.gather(
        *(ledger.ask("reserve", 2) for _ in range(10)), *(other.ask("reserve", 2) for _ in range(40))
    )
    assert [answer.status_code for answer in answers[:10]].count(200) == 2, "4 of 20 units were left"
    assert {answer.status_code for answer in answers[10:]} == {200}
    for each, granted in ((ledger, 3), (other, 40)):
        shown = (await practice.admin.get(each.path)).json()
        entries = (await practice.admin.get(f"{each.path}/entries")).json()
        assert entries["total"] == granted
        assert shown["scheduled_units"] == shown["manual_units"] == sum(e["units"] for e in entries["items"])


async def test_what_is_not_approved_gives_nothing(practice: Practice) -> None:
    await practice.make(
        "authorizations", "pending", patient_id=practice.made["pat"], payer_id=practice.made["payer"],
        service_codes=["97153"], total_units=5, start_date="2020-01-01", end_date="2060-01-01", status="pending",
    )  # fmt: skip
    ledger = Ledger(practice, "pending")
    await ledger.refused("reserve", 1, "authorization_inactive")
    await ledger.refused("consume", 1, "authorization_inactive")
    await ledger.refused("release", 1, "units_not_reserved")


async def test_a_key_has_one_effect_and_a_version_is_asked_for(practice: Practice) -> None:
    ledger = Ledger(practice)
    key = {"Idempotency-Key": "by-hand"}
    answers = await asyncio.gather(*(ledger.ask("reserve", 3, headers=key) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert [a.headers.get("idempotency-replayed") for a in answers].count("true") == 7
    reused = await ledger.ask("release", 3, headers=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    version = answers[0].json()["version"]
    stale = await ledger.ask("reserve", 1, headers={"If-Match": f'"{version - 1}"'})
    assert (stale.status_code, stale.json()["version"]) == (412, version)
    known = await ledger.ask("reserve", 1, headers={"If-Match": f'"{version}"'})
    assert known.status_code == 200


async def test_what_cannot_be_asked_for(practice: Practice, stranger: Organization, client: Client) -> None:
    ledger = Ledger(practice)
    for field, value in (
        ("units", 0), ("units", -1), ("units", 2**31), ("units", "1"), ("date", "today"), ("note", "x" * 10_001),
        ("note", 1), ("of_reserved", 1),
    ):  # fmt: skip
        answer = await practice.admin.post(f"{ledger.path}/consume", json={"units": 2, field: value})
        assert answer.status_code == 422, (field, value)
        assert answer.json()["errors"][0]["field"] == field
    of_reserved = await ledger.ask("reserve", 1, of_reserved=2)
    assert of_reserved.json()["errors"][0]["code"] == "unknown_field"
    async with client(stranger.tokens["admin"]) as theirs:
        for id_ in (practice.made["authorization"], ids.new()):
            answer = await theirs.post(f"{API}/authorizations/{id_}/reserve", json={"units": 1})
            assert (answer.status_code, answer.json()["field"]) == (404, "id")


async def test_notes_are_the_staffs(practice: Practice, organization: Organization, client: Client) -> None:
    async with client(organization.tokens["admin"]) as admin:
        made = await admin.post(f"{API}/authorizations", json={
            "patient_id": organization.patient_id, "payer_id": practice.made["payer"], "service_codes": ["97153"],
            "total_units": 5, "start_date": "2020-01-01", "end_date": "2060-01-01",
        })  # fmt: skip
        path = f"{API}/authorizations/{made.json()['id']}"
        reserved = await admin.post(f"{path}/reserve", json={"units": 1, "note": "CANARY of the desk"})
        assert reserved.status_code == 200, reserved.text
    for role, note in (("auditor", "CANARY of the desk"), ("patient", None)):
        async with client(organization.tokens[role]) as someone:
            (entry,) = (await someone.get(f"{path}/entries")).json()["items"]
            assert entry["note"] == note
    for table in ("events", "audit"):
        kept = await practice.stored(f"select * from {table} where organization_id = $1")
        assert kept
        assert "CANARY of" not in str(kept)
