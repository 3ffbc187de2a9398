"""The status calls of /appointments: the table of practice.md cell by cell, and what each does to time and units."""

from datetime import UTC, datetime, timedelta
from typing import Any

from api.practice import Practice, at

# practice.md, Status, written out again: from each status, what each call makes of it.
TABLE = {
    "scheduled": {"confirm": "confirmed", "check-in": "checked_in", "start": "in_progress", "complete": "completed",
                  "cancel": "cancelled", "no-show": "no_show"},
    "confirmed": {"check-in": "checked_in", "start": "in_progress", "complete": "completed", "cancel": "cancelled",
                  "no-show": "no_show"},
    "checked_in": {"reopen": "scheduled", "start": "in_progress", "complete": "completed", "cancel": "cancelled",
                   "no-show": "no_show"},
    "in_progress": {"reopen": "checked_in", "complete": "completed"},
    "completed": {"reopen": "in_progress"},
    "no_show": {"check-in": "checked_in", "reinstate": "scheduled"},
    "cancelled": {"reinstate": "scheduled"},
}  # fmt: skip
CALLS = ("confirm", "check-in", "start", "complete", "cancel", "no-show", "reinstate", "reopen")
REACHED = {
    "scheduled": (), "confirmed": ("confirm",), "checked_in": ("check-in",), "in_progress": ("start",),
    "completed": ("complete",), "no_show": ("no-show",), "cancelled": ("cancel",),
}  # fmt: skip


async def test_the_table_cell_by_cell(practice: Practice) -> None:
    """Every call in every status, each on a visit of its own; nothing but the legal changes anything."""
    cell = 0
    for status, calls in TABLE.items():
        for call in CALLS:
            visit = await practice.book(at(8 + cell % 9, day=(cell // 9) % 6 + 7 * (cell // 54)))
            cell += 1
            for step in REACHED[status]:
                visit = await practice.done(await practice.call(visit, step))
            assert visit["status"] == status
            answer = await practice.call(visit, call)
            if call in calls:
                after = await practice.done(answer)
                assert (after["status"], after["version"]) == (calls[call], visit["version"] + 1), (
                    status,
                    call,
                )
                continue
            problem = practice.problem(answer, 409)
            assert (problem["code"], problem["allowed"]) == ("illegal_transition", sorted(calls)), (
                status,
                call,
            )
            assert problem["version"] == visit["version"]
            assert (await practice.get(visit))["status"] == status


async def test_cancelled_and_no_show_give_back_time_and_units(practice: Practice) -> None:
    visit: Any = None
    for call in ("cancel", "no-show"):
        visit = await practice.book(at(9), service_id="funded")
        assert await practice.units() == (4, 16)
        gone = await practice.done(await practice.call(visit, call))
        assert gone["units_reserved"] == 0
        assert await practice.claims(visit) == []
        assert await practice.units() == (0, 20)
    assert await practice.entries() == [("reserve", 4), ("release", 4)] * 2
    back = await practice.done(await practice.call(visit, "reinstate"))
    assert (back["id"], back["status"], back["units_reserved"]) == (visit["id"], "scheduled", 4)
    assert len(await practice.claims(visit)) == 4
    assert await practice.units() == (4, 16)


async def test_reinstating_runs_all_checks_again(practice: Practice) -> None:
    visit = await practice.book(at(9), service_id="funded", room_id="room 1")
    await practice.done(await practice.call(visit, "no-show"))
    other = await practice.book(at(9), service_id="funded", end=at(13.25))
    for call in ("reinstate", "check-in"):
        problem = practice.problem(await practice.call(visit, call), 409)
        assert [reason["code"] for reason in problem["reasons"]] == [
            "practitioner_conflict", "patient_conflict", "insufficient_units",
        ]  # fmt: skip
        assert {c["appointment_id"] for c in problem["conflicts"]} == {other["id"]}
    await practice.done(await practice.call(other, "cancel"))
    # The room has gone to somebody else meanwhile: another is found.
    await practice.book(at(9), practitioner_id="ben", patient_id="quin", room_id="room 1")
    back = await practice.done(await practice.call(visit, "check-in"))
    assert (back["status"], back["room_number"], back["units_reserved"]) == ("checked_in", "2", 4)


async def test_a_cancellation_keeps_who_why_and_how_late(practice: Practice) -> None:
    soon = (
        (datetime.now(UTC) + timedelta(hours=3))
        .replace(second=0, microsecond=0)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    await practice.change("clinics", "clinic", opening_hours=[])
    await practice.change("practitioners", "ana", working_hours=[])
    cases = [(at(9), "patient", False), (soon, "caregiver", True), (soon, "error", False)]
    for start, party, late in cases:
        visit = await practice.book(start)
        body = {"cancelled_by": party, "reason_code": "ill", "reason": "CANARY has a fever"}
        await practice.done(await practice.call(visit, "cancel", **body))
        row = (await practice.stored(
            "select cancelled_by, cancel_reason_code, cancelled_late, notice_minutes, cancel_reason_encrypted"
            " from appointments where organization_id = $1 and id = $2", visit["id"],
        ))[0]  # fmt: skip
        assert tuple(row)[:3] == (party, "ill", late)
        assert (row["notice_minutes"] < 24 * 60) == (start == soon)
        assert b"CANARY" not in row["cancel_reason_encrypted"]


NO_CALLS: tuple[Any, ...] = (
    ("cancel", {"cancelled_by": "nobody"}, "cancelled_by"), ("cancel", {"reason_code": "No Such"}, "reason_code"),
    ("cancel", {"reason_code": "ill\n"}, "reason_code"), ("cancel", {"reason": "x" * 2001}, "reason"),
    ("complete", {"lines": [{"line_no": 2, "minutes_actual": 5}]}, "lines"),
    ("complete", {"lines": [{"line_no": 1, "minutes_actual": -1}]}, "lines"),
    ("complete", {"lines": [{"line_no": 1, "minutes_actual": 2**63}]}, "lines"),
    ("complete", {"lines": [{"line_no": 1, "minutes": 5}]}, "lines"), ("confirm", {"reason": "x"}, "reason"),
    ("start", {"at": "9999-01-01T00:00:00Z"}, "at"), ("start", {"at": at(9)}, "at"), ("start", {"at": 5}, "at"),
)  # fmt: skip


async def test_what_is_no_status_call_is_not_understood(practice: Practice) -> None:
    visit = await practice.book(at(9))
    for call, body, field in NO_CALLS:
        problem = practice.problem(await practice.call(visit, call, **body), 422)
        assert [error["field"].partition("[")[0] for error in problem["errors"]] == [field], (call, body)
    assert (await practice.get(visit))["version"] == 1


async def test_completing_early_gives_back_the_rest(practice: Practice) -> None:
    await practice.change("clinics", "clinic", opening_hours=[])
    for name in ("ana", "ben"):
        await practice.change("practitioners", name, working_hours=[])
    start = (datetime.now(UTC) - timedelta(minutes=50)).replace(second=0, microsecond=0)
    text = [(start + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in (0, 40, 120)]
    visit = await practice.book(text[0], end=text[2], practitioner_id="ben", room_id="room 1")
    body = {"at": text[1], "lines": [{"line_no": 1, "minutes_actual": 37}]}
    done = await practice.done(await practice.call(visit, "complete", **body))
    assert (done["end"], done["lines"][0]["minutes_actual"], done["lines"][0]["line_status"]) == (
        text[1],
        37,
        "completed",
    )
    rows = await practice.stored(
        "select resource_id, kind, ends_at from claims where organization_id = $1 and appointment_id = $2"
        " order by ends_at, kind", visit["id"],
    )  # fmt: skip
    ended = [(practice.made["pat"], "visit", 0), (practice.made["room 1"], "visit", 0),
             (practice.made["room 1"], "turnover", 10), (practice.made["ben"], "visit", 15)]  # fmt: skip
    found = {(str(r["resource_id"]), r["kind"], (r["ends_at"] - start).seconds // 60 - 40) for r in rows}
    assert found == set(ended)
    # What was given back can be had.
    later = (start + timedelta(minutes=55)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await practice.book(later, practitioner_id="ben", room_id="room 1", duration_minutes=10)
    # Nothing of a completed visit moves, and stepping back is said plainly.
    answer = await practice.move(visit, end=text[2])
    assert practice.problem(answer, 409)["code"] == "illegal_transition"
    assert (await practice.done(await practice.call(visit, "reopen")))["status"] == "in_progress"


async def test_completing_on_time_or_late_changes_no_claim(practice: Practice) -> None:
    visit = await practice.book(at(9))
    before = await practice.claims(visit)
    done = await practice.done(await practice.call(visit, "complete"))
    assert (done["end"], done["lines"][0]["minutes_actual"]) == (at(10), 60)
    assert await practice.claims(visit) == before


async def test_a_step_back_undoes_what_the_step_said(practice: Practice) -> None:
    visit = await practice.book(at(9))
    await practice.done(await practice.call(visit, "complete"))
    back = await practice.done(await practice.call(visit, "reopen"))
    assert back["lines"][0]["line_status"] == "planned"
    assert back["lines"][0]["minutes_actual"] is None
    for _ in range(2):
        back = await practice.done(await practice.call(visit, "reopen"))
    times = "select checked_in_at, started_at, completed_at from appointments where organization_id = $1"
    assert back["status"] == "scheduled"
    assert set((await practice.stored(times))[0]) == {None}
