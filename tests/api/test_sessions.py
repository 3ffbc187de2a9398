"""Sessions by URL: a draft, its signature, which completes the visit, and amendments that overwrite nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from api.given import SESSIONS, TODAY, WORDS, Given, on
from api.people import Client
from api.practice import API

from holdfast import ids

# A draft


async def test_a_draft_is_begun_and_written_over(given: Given) -> None:
    visit = await given.visit()
    session = await given.draft(visit)
    ana, path = given.clients["ana"], f"{SESSIONS}/{session['id']}"
    shown = {
        name: session[name]
        for name in ("status", "version", "line_no", "service_code", "versions", "units_used")
    }
    assert shown == {
        "status": "draft", "version": 1, "line_no": 1, "service_code": "97153", "versions": 0, "units_used": None,
    }  # fmt: skip
    assert (session["start"], session["narrative"], session["plan"]) == (visit["start"], WORDS, "")
    written = await ana.patch(path, json={"plan": "More turns.", "narrative": "Played."})
    assert (written.json()["version"], written.headers["etag"]) == (2, '"2"')
    same = await ana.patch(path, json={"plan": "More turns."})
    assert same.json() == written.json()
    late = await ana.patch(path, json={"plan": "Fewer turns."}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"], late.json()["version"]) == (412, "version_mismatch", 2)
    got = await ana.get(path)
    assert got.json() == written.json()
    assert (await ana.patch(path, json={})).json() == got.json()
    assert (await ana.patch(path, json={"plan": "x" * 10_001})).json()["errors"][0]["field"] == "plan"


async def test_an_equal_key_begins_one_session(given: Given) -> None:
    visit = await given.visit()
    body, key = {"appointment_id": visit["id"], "narrative": WORDS}, {"Idempotency-Key": "one"}
    ana = given.clients["ana"]
    answers = await asyncio.gather(*(ana.post(SESSIONS, json=body, headers=key) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    again = await ana.post(SESSIONS, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    assert again.json()["session_id"] == answers[0].json()["id"]


async def test_what_is_written_is_sealed_and_told_to_nobody(given: Given) -> None:
    visit = await given.visit()
    session = await given.draft(visit)
    await given.signed(session)
    await given.practice.done(
        await given.amend(session, narrative=f"{WORDS} Twice.", reason="Forgotten turns")
    )
    rows = await given.practice.stored(
        "select string_agg(x, ' ') as said from (select e.body::text as x from events e where e.organization_id = $1"
        " union all select a.detail::text from audit a where a.organization_id = $1"
        " union all select row_to_json(s)::text from sessions s where s.organization_id = $1"
        " union all select row_to_json(v)::text from session_versions v where v.organization_id = $1) t"
    )
    said = rows[0]["said"]
    assert session["id"] in said
    for words in (WORDS, "Forgotten", WORDS.encode().hex(), "Pat", "Person"):
        assert words not in said
    kinds = await given.practice.stored(
        "select kind, body from events where organization_id = $1 and kind like 'session.%' order by seq"
    )
    assert [row["kind"] for row in kinds] == ["session.created", "session.signed", "session.amended"]


async def test_there_is_no_session_of_what_is_not_there(given: Given) -> None:
    ana, visit = given.clients["ana"], await given.visit()
    for body, field in (
        ({"appointment_id": ids.new()}, "appointment_id"), ({"appointment_id": visit["id"], "line_no": 2}, "line_no"),
    ):  # fmt: skip
        answer = await ana.post(SESSIONS, json=body)
        assert (answer.status_code, answer.json()["field"]) == (404, field)
    await given.practice.done(await given.practice.call(visit, "no-show"))
    answer = await ana.post(SESSIONS, json={"appointment_id": visit["id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
    assert answer.json()["status_now"] == "no_show"


# Signing


async def test_sixty_one_minutes_reserve_five_and_consume_four(given: Given) -> None:
    visit = await given.visit(minutes=61)
    assert await given.counters() == (0, 5, 15)
    session = await given.draft(visit)
    signed = await given.signed(session)
    shown = {
        name: signed[name]
        for name in ("status", "minutes_actual", "units_used", "unfunded_units", "versions")
    }
    assert shown == {
        "status": "signed", "minutes_actual": 61, "units_used": 4, "unfunded_units": 0, "versions": 1,
    }  # fmt: skip
    assert (await given.clients["ana"].get(f"{SESSIONS}/{session['id']}")).json() == signed
    assert await given.line(visit) == ("signed", 61, 0, 4, 0)
    assert await given.counters() == (4, 0, 16)
    assert await given.practice.entries() == [("reserve", 5), ("consume", 4), ("release", 1)]


async def test_signing_completes_the_visit(given: Given) -> None:
    visit = await given.visit()
    await given.practice.done(await given.practice.call(visit, "check-in"))
    await given.signed(await given.draft(visit))
    found = await given.practice.get(visit)
    assert (found["status"], found["version"], found["completed_at"] is None) == ("completed", 3, False)
    kinds = await given.practice.stored(
        "select kind from events where organization_id = $1 and body ->> 'id' = $2 order by seq", visit["id"]
    )
    assert [row["kind"] for row in kinds] == [
        "appointment.booked", "appointment.checked_in", "appointment.signed",
    ]  # fmt: skip


async def test_a_visit_that_is_under_way_ends_when_it_is_signed(given: Given) -> None:
    """What it had beyond is free again, and only what was given counts."""
    start = (datetime.now(UTC) - timedelta(minutes=16)).replace(second=0, microsecond=0)
    visit = await given.practice.book(
        start.strftime("%Y-%m-%dT%H:%M:%SZ"), service_id="funded", duration_minutes=120
    )
    assert await given.counters() == (0, 8, 12)
    signed = await given.signed(await given.draft(visit))
    assert (signed["units_used"], signed["minutes_actual"] < 22) == (1, True)
    assert (await given.practice.get(visit))["end"] == signed["end"] < visit["end"]
    assert await given.counters() == (1, 0, 19)
    later = (start + timedelta(minutes=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await given.practice.book(later, service_id="talk")


async def test_what_has_not_begun_cannot_be_signed(given: Given) -> None:
    visit = await given.visit(day=1)
    session = await given.draft(visit)
    answer = await given.sign(session)
    assert (answer.status_code, answer.json()["code"]) == (409, "visit_not_begun")
    assert await given.counters() == (0, 4, 16)
    await given.practice.done(await given.practice.call(visit, "cancel"))
    answer = await given.sign(session)
    assert answer.status_code == 409
    assert (await given.practice.get(visit))["status"] == "cancelled"


async def test_what_was_cancelled_is_not_given(given: Given) -> None:
    visit = await given.visit()
    session = await given.draft(visit)
    await given.practice.done(await given.practice.call(visit, "cancel"))
    answer = await given.sign(session)
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
    assert await given.counters() == (0, 0, 20)


async def test_a_session_without_a_word_is_not_signed(given: Given) -> None:
    session = await given.draft(await given.visit(), narrative=" \n")
    answer = await given.sign(session)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "narrative")
    ana, path = given.clients["ana"], f"{SESSIONS}/{session['id']}"
    await given.practice.done(await ana.patch(path, json={"assessment": "Calm."}))
    stale = await ana.post(f"{path}/sign", headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    assert (await ana.post(f"{path}/sign", headers={"If-Match": '"2"'})).status_code == 200


async def test_what_is_signed_stays(given: Given) -> None:
    """Not signed again, not written over, not moved, not reopened, and its lines do not change."""
    visit = await given.visit()
    session = await given.draft(visit)
    signed = await given.signed(session)
    practice, ana, path = given.practice, given.clients["ana"], f"{SESSIONS}/{session['id']}"
    for answer in (await given.sign(session), await ana.patch(path, json={"narrative": "Nothing."})):
        assert (answer.status_code, answer.json()["code"]) == (409, "session_signed")
    for answer in (
        await practice.call(visit, "reopen"), await practice.call(visit, "cancel"), await practice.move(visit, start=on(2)),
        await practice.move(visit, notes="Another."),
        await practice.admin.patch(f"{API}/appointments/{visit['id']}/lines/1", json={"billable": False}),
        await practice.admin.post(f"{API}/appointments/{visit['id']}/lines", json={
            "practitioner_id": practice.made["ben"], "service_id": practice.made["talk"]}),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition"), answer.text
    assert (await ana.get(path)).json() == signed
    assert await given.line(visit) == ("signed", 60, 0, 4, 0)


async def test_each_line_has_its_session(given: Given) -> None:
    """A handover: Ana signs hers, Ben's still holds its units; then the visit is done."""
    practice = given.practice
    line = {
        "practitioner_id": practice.made["ben"], "service_id": practice.made["talk"], "start": on(-1, 13),
        "duration_minutes": 30,
    }  # fmt: skip
    visit = await given.visit(lines=[line])
    ana, ben = await given.draft(visit), await given.draft(visit, "ben", line_no=2)
    await given.signed(ana)
    assert [(await given.line(visit, n))[0] for n in (0, 1)] == ["signed", "completed"]
    listed = await practice.admin.get(f"{API}/worklists/unsigned_notes")
    assert [each["appointment"]["id"] for each in listed.json()["items"]] == [visit["id"]]
    assert (await practice.call(visit, "reopen")).status_code == 409
    await given.signed(ben, "ben")
    assert await given.line(visit, 1) == ("signed", 30, 0, 0, 0)
    listed = await practice.admin.get(f"{API}/worklists/unsigned_notes")
    assert listed.json()["items"] == []


async def test_a_line_that_goes_to_somebody_else_takes_no_draft_along(given: Given) -> None:
    visit = await given.visit()
    session = await given.draft(visit)
    await given.practice.done(await given.practice.move(visit, practitioner_id="ben"))
    answer = await given.sign(session)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    await given.signed(await given.draft(visit, "ben", narrative="Ben's words"), "ben")
    answer = await given.sign(session)
    assert answer.status_code == 403
    assert (await given.clients["ana"].get(f"{SESSIONS}/{session['id']}")).json()["narrative"] == WORDS


# Amendments


async def test_an_amendment_is_a_new_version_with_author_and_reason(given: Given) -> None:
    visit = await given.visit()
    session = await given.draft(visit, plan="More turns.")
    refused = await given.amend(session, narrative="Sooner.", reason="A slip")
    assert (refused.status_code, refused.json()["code"]) == (409, "session_not_signed")
    await given.signed(session)
    amended = await given.practice.done(
        await given.amend(session, narrative="Waited three times.", reason="A slip")
    )
    assert (amended["status"], amended["version"], amended["versions"]) == ("signed", 3, 2)
    assert (amended["narrative"], amended["plan"]) == ("Waited three times.", "More turns.")
    answer = await given.practice.admin.get(f"{SESSIONS}/{session['id']}/versions")
    first, second = answer.json()["items"]
    assert (first["narrative"], first["reason"], first["author_name"]) == (WORDS, None, "Ana")
    assert (second["narrative"], second["reason"], second["version_no"]) == (
        "Waited three times.",
        "A slip",
        2,
    )
    assert (await given.practice.get(visit))["version"] == 2
    for body, field in (
        ({"narrative": "x"}, "reason"), ({"narrative": "x", "reason": " "}, "reason"), ({"reason": "None"}, "body"),
        ({"narrative": "", "plan": "", "reason": "Empty"}, "narrative"),
        ({"minutes_actual": 1441, "reason": "Long"}, "minutes_actual"),
    ):  # fmt: skip
        answer = await given.amend(session, **body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


# Who


async def test_nobody_reads_or_writes_anothers_note(given: Given, client: Client) -> None:
    visit = await given.visit()
    session = await given.draft(visit)
    ben, path = given.clients["ben"], f"{SESSIONS}/{session['id']}"
    answers = [
        await ben.get(path), await ben.get(f"{path}/versions"), await ben.patch(path, json={"plan": "x"}),
        await ben.post(f"{path}/sign"), await ben.post(f"{path}/amend", json={"reason": "x", "plan": "x"}),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {404}
    begun = await ben.post(SESSIONS, json={"appointment_id": visit["id"], "narrative": "x"})
    assert (begun.status_code, begun.json()["code"]) == (403, "forbidden")
    tokens = given.practice.organization.tokens
    for role, status in (
        ("scheduler", 403),
        ("patient", 403),
        ("biller", 200),
        ("auditor", 200),
        ("admin", 200),
    ):
        async with client(tokens[role]) as user:
            assert (await user.get(path)).status_code == status, role
            assert (await user.get(SESSIONS)).status_code == status, role
            assert (await user.post(f"{path}/sign")).status_code == 403, role
    denied = await given.practice.stored("select count(*) from denials where organization_id = $1")
    assert denied[0][0] > 0


async def test_sessions_are_listed_by_whom_of_whom_and_when(given: Given) -> None:
    made = given.practice.made
    first, second = await given.visit(8), await given.visit(10, day=-2, patient_id="quin", service_id="talk")
    third = await given.visit(14, practitioner_id="ben", service_id="talk")
    sessions = [await given.draft(first), await given.draft(second), await given.draft(third, "ben")]
    await given.signed(sessions[1])
    one, two, three = (each["id"] for each in sessions)
    yesterday = str(TODAY - timedelta(days=1))

    async def listed(who: httpx2.AsyncClient, **query: Any) -> list[str]:
        answer = await who.get(SESSIONS, params=query)
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] == len(answer.json()["items"])
        return [each["id"] for each in answer.json()["items"]]

    admin, ana = given.practice.admin, given.clients["ana"]
    assert await listed(admin) == [three, two, one]
    assert await listed(ana) == [two, one]
    assert await listed(ana, practitioner_id=made["ben"]) == []
    assert await listed(admin, practitioner_id=made["ben"]) == [three]
    assert await listed(admin, patient_id=made["quin"]) == [two]
    assert await listed(admin, appointment_id=first["id"]) == [one]
    assert await listed(admin, appointment_id=first["id"], patient_id=made["quin"]) == []
    assert await listed(admin, status="draft") == [three, one]
    assert await listed(admin, status="signed", practitioner_id=made["ana"]) == [two]
    assert await listed(admin, start_date=yesterday) == [three, one]
    assert await listed(admin, end_date=str(TODAY - timedelta(days=2))) == [two]
    page = (await admin.get(SESSIONS, params={"page": 2, "page_size": 2})).json()
    assert ([each["id"] for each in page["items"]], page["total"], page["total_pages"]) == ([one], 3, 2)
    assert "narrative" not in page["items"][0]


# At once


async def test_equal_signatures_at_once_sign_once(given: Given) -> None:
    visit = await given.visit()
    session = await given.draft(visit)
    answers = await asyncio.gather(*(given.sign(session) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"session_signed"}
    assert await given.counters() == (4, 0, 16)


async def test_signed_or_cancelled_or_moved_but_never_two_of_them(given: Given) -> None:
    """Whoever is first has the visit; units are used or come back, once."""
    practice, outcomes = given.practice, set()
    for hour in range(6, 14):
        visit = await given.visit(hour, 15)
        session = await given.draft(visit)
        signed, cancelled, moved = await asyncio.gather(
            given.sign(session), practice.call(visit, "cancel"), practice.move(visit, practitioner_id="ben")
        )
        found, line = await practice.get(visit), await given.line(visit)
        if signed.status_code == 200:
            assert (found["status"], line[0], line[3]) == ("completed", "signed", 1)
            assert cancelled.json()["code"] == "illegal_transition"
        else:
            assert (cancelled.status_code, found["status"], line[2:]) == (200, "cancelled", (0, None, 0))
        outcomes.add((signed.status_code, cancelled.status_code, moved.status_code))
    used = (await given.counters())[0]
    signed_lines = await practice.stored(
        "select count(*) from appointment_lines where organization_id = $1 and line_status = 'signed'"
    )
    assert (used, (await given.counters())[1]) == (signed_lines[0][0], 0)
