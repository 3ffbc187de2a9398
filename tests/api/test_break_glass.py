"""/break-glass: asked for by one person, approved by another with a fresh code, over by the clock, and every use of it
written down.
"""

import asyncio
from typing import Any, cast

import asyncpg
import httpx2
import pyotp
import pytest
from api.given import SESSIONS, Given
from api.people import Client, writing
from api.practice import Practice, at
from api.second_factor import code_of, enrolled, forget_codes, wrong_code
from api.ward import AUTHORIZATIONS, GLASS, VISITS, WHY, Ward, said

from holdfast import ids
from holdfast.app import Application
from holdfast.commands.break_glass import end_those_over
from holdfast.commands.housekeeping import cleaned
from holdfast.settings import Settings


async def test_asked_approved_used_and_revoked(ward: Ward) -> None:
    glass = await ward.requested()
    people = ward.organization.user_ids
    assert glass["status"] == "requested"
    assert (glass["user_id"], glass["patient_id"], glass["minutes"]) == (
        people["practitioner"],
        ward.patient,
        60,
    )
    assert glass["justification"] == WHY
    assert not await ward.sees(), "asking opens nothing"
    approved = await ward.approve(glass)
    assert approved.status_code == 200, approved.text
    told = approved.json()
    assert (told["status"], told["approved_by"], told["version"]) == ("active", people["admin"], 2)
    assert approved.headers["etag"] == '"2"'
    assert await ward.sees()
    revoked = await ward.revoke(glass, "practitioner")
    assert (revoked.json()["status"], revoked.json()["ended_by"]) == ("revoked", people["practitioner"])
    assert not await ward.sees()


async def test_each_use_is_on_disk_before_the_answer(ward: Ward) -> None:
    glass = await ward.opened()
    async with ward.by("practitioner") as user:
        visit = await user.get(f"{VISITS}/{ward.visit}")
        explained = await user.get(f"{VISITS}/{ward.visit}/explain")
        listed = await user.get(VISITS, params={"patient_id": ward.patient})
        units = await user.get(f"{AUTHORIZATIONS}/{ward.authorization}")
        left = await user.get(f"{AUTHORIZATIONS}/{ward.authorization}/available-units")
        ledger = await user.get(f"{AUTHORIZATIONS}/{ward.authorization}/entries")
        known = await user.get(AUTHORIZATIONS, params={"patient_id": ward.patient})
        date = {"date": visit.json()["start"][:10]}
        active = await user.get(
            f"{AUTHORIZATIONS}/active", params={"patient_id": ward.patient, "service_code": "97153"} | date
        )
    assert [
        answer.status_code for answer in (visit, explained, listed, units, left, ledger, known, active)
    ] == [200] * 8
    assert visit.json()["patient_name"] == "Pat Person"
    assert [each["patient_name"] for each in listed.json()["items"]] == ["Pat Person"]
    assert [each["id"] for each in known.json()["items"]] == [ward.authorization]
    uses = await ward.uses(glass)
    assert [(use["action"].removeprefix("GET /api/v1/"), use["subject_id"]) for use in reversed(uses)] == [
        ("appointments/{id}", ward.visit), ("appointments/{id}/explain", ward.visit), ("appointments", None),
        ("authorizations/{id}", ward.authorization), ("authorizations/{id}/available-units", ward.authorization),
        ("authorizations/{id}/entries", ward.authorization), ("authorizations", None), ("authorizations/active", None),
    ]  # fmt: skip
    assert uses[-1]["request_id"] == visit.headers["x-request-id"]
    assert await ward.uses(glass, "practitioner") == uses


async def test_what_one_may_read_anyway_is_no_use(ward: Ward) -> None:
    """Nor is what nobody is opened by it: another patient, the calendar of all."""
    glass = await ward.opened()
    other = await ward.practice.book(at(11), patient_id="quin")
    async with ward.by("practitioner") as user:
        busy = (await user.get(f"{VISITS}/{other['id']}")).json()
        everything = (await user.get(VISITS)).json()["items"]
        days = {"start_date": other["start"][:10], "end_date": other["start"][:10]}
        calendar = (
            await user.get("/api/v1/calendar", params=days | {"clinic_id": other["clinic_id"]})
        ).json()
        mine = await user.get("/api/v1/patients")
    assert busy["patient_id"] is None
    assert {each["patient_id"] for each in everything} == {None}
    assert {each["patient_id"] for each in calendar["appointments"]} == {None}
    assert mine.status_code == 200
    async with ward.by("scheduler") as desk:
        assert (await desk.get(f"{VISITS}/{ward.visit}")).json()["patient_id"] == ward.patient
    assert await ward.uses(glass) == []


async def test_it_widens_reading_only(ward: Ward) -> None:
    await ward.opened()
    async with ward.by("practitioner") as user:
        for call in ("cancel", "confirm"):
            assert said(await user.post(f"{VISITS}/{ward.visit}/{call}")) == (403, "forbidden"), call
        moved = await user.patch(f"{VISITS}/{ward.visit}", json={"start": at(14)})
        assert said(moved) == (403, "forbidden")
        assert said(await user.get("/api/v1/audit")) == (403, "forbidden")
    assert (await ward.practice.get({"id": ward.visit}))["status"] == "scheduled"


async def test_it_is_for_that_user_only(ward: Ward) -> None:
    await ward.hire()
    await ward.opened(role="colleague")
    assert await ward.sees("colleague")
    assert not await ward.sees("practitioner")


@pytest.mark.parametrize("role", ["admin", "scheduler", "biller", "auditor", "patient"])
async def test_whom_it_would_open_nothing_for_cannot_ask(ward: Ward, role: str) -> None:
    assert said(await ward.ask(role)) == (403, "forbidden")


async def test_it_opens_the_patients_sessions(given: Given, client: Client) -> None:
    visit = await given.visit()
    session = await given.draft(visit)
    secret = await enrolled(client, given.practice.organization.tokens["admin"])
    ward = Ward(given.practice, client, visit["id"], secret)
    own = await ward.requested(patient_id=given.practice.made["quin"])
    assert (await ward.approve(own)).status_code == 200
    paths = (f"{SESSIONS}/{session['id']}", f"{SESSIONS}/{session['id']}/versions")
    async with ward.by("practitioner") as user:
        for path in paths:
            assert said(await user.get(path)) == (404, "not_found"), "another patient's is open"
        glass = await ward.opened()
        for path in paths:
            assert (await user.get(path)).status_code == 200
        listed = (await user.get(SESSIONS, params={"patient_id": ward.patient})).json()["items"]
        assert [each["id"] for each in listed] == [session["id"]]
        assert (await user.get(SESSIONS)).json()["items"] == []
        changed = await user.patch(paths[0], json={"plan": "mine"})
        assert changed.status_code in {403, 404}
    assert [use["action"].removeprefix("GET /api/v1/") for use in reversed(await ward.uses(glass))] == [
        "sessions/{id}", "sessions/{id}/versions", "sessions",
    ]  # fmt: skip


async def test_nobody_approves_for_who_may_not_ask_any_more(ward: Ward) -> None:
    glass = await ward.requested()
    user = f"/api/v1/users/{glass['user_id']}"
    for fields in ({"is_active": False}, {"is_active": True, "role": "biller", "practitioner_id": None}):
        assert (await ward.practice.admin.patch(user, json=fields)).status_code == 200
        assert said(await ward.approve(glass)) == (409, "break_glass_ended")


async def test_a_request_is_over_after_a_day(ward: Ward) -> None:
    """Its end is written down without anybody reading why it was made."""
    glass = await ward.requested()
    house = ward.application.house
    assert house is not None
    await ward.practice.stored(
        "update break_glass_requests set requested_at = requested_at - interval '1 day', justification_encrypted = ''"
        " where organization_id = $1"
    )
    await end_those_over(house, ward.organization.id)
    (row,) = await ward.practice.stored(
        "select ended_as, ended_at - requested_at = interval '1 day' as is_a_day, approved_at"
        " from break_glass_requests where organization_id = $1"
    )
    assert tuple(row) == ("expired", True, None)
    (told,) = await ward.practice.stored(
        "select body::text from events where organization_id = $1 and kind = 'break_glass.expired'"
    )
    assert glass["id"] in told["body"]
    assert "justification" not in told["body"]


async def test_nobody_approves_what_was_asked_a_day_ago(ward: Ward) -> None:
    glass = await ward.requested()
    await ward.practice.stored(
        "update break_glass_requests set requested_at = requested_at - interval '1 day' where organization_id = $1"
    )
    assert said(await ward.approve(glass)) == (409, "break_glass_ended")
    async with ward.by("admin") as admin:
        over = (await admin.get(f"{GLASS}/{glass['id']}")).json()
    assert (over["status"], over["ends_at"]) == ("expired", None)
    assert over["ended_at"] is not None


async def test_what_is_not_answered_or_in_reach_is_no_use(ward: Ward) -> None:
    glass = await ward.opened()
    about = {"patient_id": ward.patient}
    async with ward.by("practitioner") as user:
        for path, wrong in (
            (VISITS, {"start_date": "2026-02-02", "end_date": "2026-02-01"}), (VISITS, {"client_id": ids.new()}),
            (SESSIONS, {"start_date": "2026-02-02", "end_date": "2026-02-01"}), (AUTHORIZATIONS, {"page_size": "0"}),
        ):  # fmt: skip
            assert said(await user.get(path, params=about | wrong)) == (422, "invalid_request"), path
        own = about | {"practitioner_id": ward.organization.practitioner_id}
        for path in (VISITS, SESSIONS):
            assert (await user.get(path, params=own)).json()["items"] == []
    await ward.practice.stored(
        "update appointment_lines set practitioner_id = $2 where organization_id = $1",
        ward.organization.practitioner_id,
    )
    async with ward.by("practitioner") as user:
        for path in (AUTHORIZATIONS, "/api/v1/utilization"):
            assert len((await user.get(path, params=about)).json()["items"]) == 1
    assert await ward.uses(glass) == []


async def test_a_lost_connection_shows_nothing_and_says_so(ward: Ward) -> None:
    await ward.opened()
    house = ward.application.house
    assert house is not None
    owner = await asyncpg.connect(house.settings.database_admin_url)
    async with owner.transaction(), ward.by("practitioner") as user:
        await owner.execute("lock table break_glass_uses in access exclusive mode")
        asked = asyncio.create_task(user.get(f"{VISITS}/{ward.visit}"))
        ended = 0
        async with asyncio.timeout(10):
            while not ended:
                await asyncio.sleep(0.02)
                ended = await owner.fetchval(
                    "select count(pg_terminate_backend(l.pid)) from pg_locks l"
                    " where l.relation = 'break_glass_uses'::regclass and not l.granted"
                )
        assert said(await asked) == (503, "overloaded")
    await owner.close()


async def test_its_time_counts_from_the_approval_and_is_over_by_the_clock(ward: Ward) -> None:
    glass = await ward.opened(minutes=30)
    await ward.let_pass(glass, 29)
    assert await ward.sees()
    await ward.let_pass(glass, 1)
    assert not await ward.sees()
    async with ward.by("admin") as admin:
        over = (await admin.get(f"{GLASS}/{glass['id']}")).json()
        assert (over["status"], over["ended_at"]) == ("expired", over["ends_at"])
        assert said(await admin.post(f"{GLASS}/{glass['id']}/revoke")) == (409, "break_glass_ended")
    assert said(await ward.approve(glass)) == (409, "break_glass_ended")


async def test_its_end_is_written_down_once(ward: Ward) -> None:
    glass = await ward.opened(minutes=30)
    house = ward.application.house
    assert house is not None
    await end_those_over(house, ward.organization.id)
    await ward.let_pass(glass, 31)
    await asyncio.gather(*(cleaned(house.database, house.settings, house.sweep) for _ in range(3)))
    async with ward.by("auditor") as auditor:
        told = (await auditor.get(f"{GLASS}/{glass['id']}")).json()
        trail = (await auditor.get("/api/v1/audit", params={"subject_id": glass["id"]})).json()["items"]
        assert (await auditor.get("/api/v1/audit/verify")).json()["is_intact"] is True
    assert (told["status"], told["ended_at"], told["ended_by"]) == ("expired", told["ends_at"], None)
    assert [entry["action"] for entry in trail] == [
        "break_glass.expired", "break_glass.approved", "break_glass.requested",
    ]  # fmt: skip
    people = ward.organization.user_ids
    assert [entry["actor_id"] for entry in trail] == [None, people["admin"], people["practitioner"]]


async def test_another_process_opens_and_closes_at_once(ward: Ward, settings: Settings) -> None:
    other = Application(settings)
    async with other.running():
        transport = httpx2.ASGITransport(cast("Any", other))
        headers = {"Authorization": f"Bearer {ward.organization.tokens['practitioner']}"}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://other.test", headers=headers
        ) as there:
            path = f"{AUTHORIZATIONS}/{ward.authorization}"
            assert (await there.get(path)).status_code == 404
            glass = await ward.opened()
            assert (await there.get(path)).status_code == 200
            await ward.revoke(glass, "admin")
            assert (await there.get(path)).status_code == 404


async def test_an_equal_key_approves_once_and_spends_one_code(ward: Ward) -> None:
    glass = await ward.requested()
    await forget_codes(ward.application, ward.organization)
    path, body, steps = f"{GLASS}/{glass['id']}/approve", {"totp": code_of(ward.secret)}, list[Any]()
    async with ward.by("admin") as admin:
        for is_again in (False, True):
            answer = await admin.post(path, json=body, headers={"Idempotency-Key": "one"})
            assert (answer.status_code, answer.json()["status"]) == (200, "active")
            assert (answer.headers.get("idempotency-replayed") == "true") == is_again
            steps += await ward.practice.stored(
                "select step_used from totp_factors where organization_id = $1"
            )
        assert said(await admin.post(path, json=body)) == (409, "already_approved")
    assert steps[0]["step_used"] == steps[1]["step_used"] > 0
    rows = await ward.practice.stored(
        "select from events where organization_id = $1 and kind = 'break_glass.approved'"
    )
    assert len(rows) == 1


async def test_a_replayed_approval_makes_no_room_for_guesses(ward: Ward) -> None:
    first, second = await ward.requested(), await ward.requested()
    await forget_codes(ward.application, ward.organization)
    good, wrong = {"totp": code_of(ward.secret)}, {"totp": wrong_code(ward.secret)}
    async with ward.by("admin") as admin:

        async def approve(glass: Any, body: Any, **headers: str) -> tuple[int, str]:
            return said(await admin.post(f"{GLASS}/{glass['id']}/approve", json=body, headers=headers))

        key = {"Idempotency-Key": "one"}
        assert await approve(first, good, **key) == (200, "")
        for _ in range(4):
            assert await approve(second, wrong) == (401, "invalid_credentials")
        assert await approve(first, good, **key) == (200, "")
        assert await approve(second, wrong) == (401, "invalid_credentials")
        assert await approve(second, wrong) == (429, "rate_limited")


async def test_a_code_opens_one_request_only(ward: Ward) -> None:
    first, second = await ward.requested(), await ward.requested()
    await forget_codes(ward.application, ward.organization)
    body = {"totp": code_of(ward.secret)}
    async with ward.by("admin") as admin:
        answers = await asyncio.gather(
            *(admin.post(f"{GLASS}/{glass['id']}/approve", json=body) for glass in (first, second))
        )
    assert sorted(said(answer) for answer in answers) == [(200, ""), (401, "invalid_credentials")]


@pytest.mark.parametrize("code", ["", "12345", "stale", "wrong", "of nobody"])
async def test_only_a_fresh_code_approves(ward: Ward, code: str) -> None:
    glass = await ward.requested()
    await forget_codes(ward.application, ward.organization)
    given = {
        "stale": pyotp.TOTP(ward.secret).at(0), "wrong": wrong_code(ward.secret), "of nobody": code_of(pyotp.random_base32()),
    }.get(code, code)  # fmt: skip
    async with ward.by("admin") as admin:
        answer = await admin.post(f"{GLASS}/{glass['id']}/approve", json={"totp": given})
        assert answer.status_code in {401, 422}
        assert said(await admin.post(f"{GLASS}/{glass['id']}/approve", json={})) == (422, "invalid_request")
    assert not await ward.sees()


async def test_codes_cannot_be_guessed_for_ever(ward: Ward) -> None:
    glass = await ward.requested()
    body = {"totp": wrong_code(ward.secret)}
    async with ward.by("admin") as admin:
        for _ in range(5):
            assert said(await admin.post(f"{GLASS}/{glass['id']}/approve", json=body)) == (
                401, "invalid_credentials",
            )  # fmt: skip
        assert said(await admin.post(f"{GLASS}/{glass['id']}/approve", json=body)) == (429, "rate_limited")


async def test_without_a_second_factor_nobody_approves(practice: Practice, client: Client) -> None:
    async with client(practice.organization.tokens["practitioner"]) as user:
        body = {"patient_id": practice.made["pat"], "minutes": 30, "justification": WHY}
        glass = (await user.post(GLASS, json=body)).json()
    answer = await practice.admin.post(f"{GLASS}/{glass['id']}/approve", json={"totp": "123456"})
    assert said(answer) == (409, "totp_not_enrolled")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("minutes", 45), ("minutes", 0), ("minutes", "30"), ("justification", "x" * 24), ("justification", "x" * 501),
        ("justification", " " * 40), ("justification", f"{'x' * 20}{' ' * 20}"), ("patient_id", "nobody"),
        ("user_id", "me"),
    ],
)  # fmt: skip
async def test_what_is_not_understood_names_the_field(ward: Ward, field: str, value: Any) -> None:
    answer = await ward.ask(**{field: value})
    assert said(answer) == (422, "invalid_request")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_who_sees_which(ward: Ward) -> None:
    await ward.hire()
    own = await ward.requested("colleague")
    others = await ward.requested("practitioner")
    for role, seen in (("admin", [others, own]), ("auditor", [others, own]), ("colleague", [own])):
        async with ward.by(role) as user:
            listed = (await user.get(GLASS)).json()["items"]
            assert listed == seen, role
            for glass in (own, others):
                answer = await user.get(f"{GLASS}/{glass['id']}")
                assert answer.status_code == (200 if glass in seen else 404), role
    assert said(await ward.revoke(others, "colleague")) == (404, "not_found")
    async with ward.by("admin") as admin:
        for name, value, found in (
            ("patient_id", ward.patient, [others, own]), ("patient_id", ids.new(), []), ("status", "active", []),
            ("user_id", own["user_id"], [own]), ("status", "requested", [others, own]),
        ):  # fmt: skip
            assert (await admin.get(GLASS, params={name: value})).json()["items"] == found, name


async def test_the_justification_is_sealed_and_told_to_nobody_else(
    ward: Ward, capfd: pytest.CaptureFixture[str]
) -> None:
    await ward.opened()
    await ward.sees()
    for table in (
        "break_glass_requests",
        "break_glass_uses",
        "events",
        "audit",
        "idempotency_keys",
        "denials",
    ):
        rows = await ward.practice.stored(f"select t::text from {table} t where organization_id = $1")
        assert WHY not in str(rows), table
        assert WHY.encode().hex() not in str(rows), table
    assert "CANARY" not in "".join(capfd.readouterr())


async def test_the_server_can_neither_delete_nor_rewrite_one(ward: Ward) -> None:
    glass = await ward.opened()
    await ward.sees()
    for statement in (
        "delete from break_glass_requests where organization_id = $1",
        "update break_glass_requests set minutes = 480 where organization_id = $1",
        "update break_glass_requests set patient_id = id where organization_id = $1",
        "delete from break_glass_uses where organization_id = $1",
        "update break_glass_uses set action = '' where organization_id = $1",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with writing(ward.application, ward.organization.id) as connection:
                await connection.execute(statement, ward.organization.id)
    assert len(await ward.uses(glass)) == 2


async def test_its_events_are_heard_by_those_who_watch_and_say_no_words(ward: Ward) -> None:
    glass = await ward.opened()
    rows = await ward.practice.stored(
        "select kind, body::text from events where organization_id = $1 and kind like 'break_glass.%' order by seq"
    )
    assert [row["kind"] for row in rows] == ["break_glass.requested", "break_glass.approved"]
    assert all("CANARY" not in row["body"] and glass["id"] in row["body"] for row in rows)
