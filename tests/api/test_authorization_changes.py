"""PATCH /authorizations/{id}, /approve, /cancel and /authorizations/batch: what visits hold is never taken from them."""

from datetime import timedelta
from typing import Any

import httpx2
from api.people import Client, Organization
from api.practice import API, VISITS, Practice, at, monday

from holdfast import ids

AUTHORIZATIONS = f"{API}/authorizations"


def path(practice: Practice, called: str = "authorization") -> str:
    return f"{AUTHORIZATIONS}/{practice.made[called]}"


async def patch(practice: Practice, preview: bool = False, **fields: Any) -> httpx2.Response:
    return await practice.admin.patch(
        path(practice), json=fields, params={"preview": "true"} if preview else {}
    )


async def test_an_amendment_shows_first_whom_it_would_strand(practice: Practice) -> None:
    early = await practice.book(at(9), service_id="funded")
    late = await practice.book(at(9, day=2), service_id="funded")
    before = (await practice.admin.get(path(practice))).json()
    last_day = str(monday() + timedelta(days=1))
    for fields, code, left_out in (
        ({"end_date": last_day}, "authorization_expired", [late]),
        ({"start_date": last_day}, "authorization_expired", [early]),
        ({"service_codes": ["97155"]}, "authorization_mismatch", [early, late]),
        ({"total_units": 7}, "insufficient_units", [late]),
    ):
        shown = await patch(practice, preview=True, **fields)
        assert shown.status_code == 200, shown.text
        found = shown.json()
        assert [(s["appointment_id"], s["line_no"], s["code"]) for s in found["stranded"]] == [
            (visit["id"], 1, code) for visit in left_out
        ]
        assert found["stranded"][-1]["start"] == left_out[-1]["start"]
        assert {name: found[name] for name in fields} == fields
        assert found["version"] == before["version"]
        refused = practice.problem(await patch(practice, **fields), 409)
        wanted = "totals_below_committed" if "total_units" in fields else "visits_stranded"
        assert (refused["code"], refused["stranded"]) == (wanted, found["stranded"])
        assert found["would_be_refused"] == wanted
        assert (refused["version"], refused["scheduled_units"]) == (before["version"], 8)
        assert (await practice.admin.get(path(practice))).json() == before
    cancelled = practice.problem(await practice.admin.post(f"{path(practice)}/cancel"), 409)
    assert (cancelled["code"], len(cancelled["stranded"])) == ("visits_stranded", 2)
    await practice.done(await practice.call(late, "cancel"))
    changed = await patch(practice, end_date=last_day, total_units=4, authorization_number="A-2")
    assert changed.status_code == 200, changed.text
    shown = changed.json()
    assert (shown["end_date"], shown["total_units"], shown["available_units"]) == (last_day, 4, 0)
    assert changed.headers["etag"] == f'"{shown["version"]}"'
    assert shown["stranded"] == []


async def test_a_total_is_never_lowered_under_what_is_used_or_promised(practice: Practice) -> None:
    await practice.admin.post(f"{path(practice)}/reserve", json={"units": 9})
    answer = await practice.admin.post(f"{path(practice)}/consume", json={"units": 4})
    assert answer.status_code == 200, answer.text
    refused = practice.problem(await patch(practice, total_units=8), 409)
    assert (refused["code"], refused["committed"], refused["requested"]) == ("totals_below_committed", 9, 8)
    assert (refused["used_units"], refused["manual_units"]) == (4, 5)
    assert refused["version"] == answer.json()["version"]
    seen = (await patch(practice, preview=True, total_units=8)).json()
    assert (seen["available_units"], seen["stranded"]) == (-1, [])
    assert seen["would_be_refused"] == "totals_below_committed"
    assert (await patch(practice, total_units=9)).json()["available_units"] == 0


async def test_a_preview_shows_what_the_change_makes(practice: Practice) -> None:
    """Every field but the version and when it changed; whoever believes in another version is told so too."""
    await practice.admin.post(f"{path(practice)}/reserve", json={"units": 4})
    await practice.admin.post(f"{path(practice)}/consume", json={"units": 4})
    for fields, status in (
        ({"start_date": "2020-01-01", "end_date": "2020-02-01"}, "expired"), ({"end_date": "2060-01-01"}, "active"),
        ({"total_units": 4}, "exhausted"), ({"total_units": 5, "authorization_number": "B"}, "active"),
    ):  # fmt: skip
        shown = (await patch(practice, preview=True, **fields)).json()
        assert (shown["status"], shown["would_be_refused"]) == (status, None)
        changed = (await patch(practice, **fields)).json()
        assert {name for name in changed if shown[name] != changed[name]} <= {"version", "updated_at"}
        assert shown["version"] + 1 == changed["version"]
    stale = await practice.admin.patch(
        path(practice), json={"total_units": 9}, params={"preview": "true"}, headers={"If-Match": '"1"'}
    )
    assert (stale.status_code, stale.json()["version"]) == (412, 7)


async def test_what_is_not_covered_already_is_in_no_changes_way(practice: Practice) -> None:
    """A clinic that comes to lie elsewhere, or a visit of another release: its line is outside the dates as it is."""
    await practice.book(at(9), service_id="funded")
    await practice.stored(
        "update authorizations set start_date = $3 where organization_id = $1 and id = $2 returning id",
        practice.made["authorization"], monday() + timedelta(days=1),
    )  # fmt: skip
    seen = (await patch(practice, preview=True, authorization_number="C")).json()
    assert (seen["stranded"], seen["would_be_refused"]) == ([], None)
    assert (await patch(practice, authorization_number="C")).status_code == 200
    later = await practice.book(at(9, day=2), service_id="funded")
    refused = practice.problem(await patch(practice, start_date=str(monday() + timedelta(days=3))), 409)
    assert [each["appointment_id"] for each in refused["stranded"]] == [later["id"]]


async def test_what_cannot_be_changed(
    practice: Practice, client: Client, organization: Organization, stranger: Organization
) -> None:
    await practice.book(at(9), service_id="funded")
    for field, value in (("patient_id", ids.new()), ("unit_basis", "day"), ("used_units", 3), ("total_units", 0),
                         ("end_date", "2001-01-01"), ("service_codes", ["a", "a"]), ("end_date", None)):  # fmt: skip
        for preview in (False, True):
            answer = await patch(practice, preview=preview, **{field: value})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    stale = await practice.admin.patch(path(practice), json={"total_units": 30}, headers={"If-Match": '"9"'})
    assert (stale.status_code, stale.json()["version"]) == (412, 2)
    same = await patch(practice, total_units=20)
    assert (same.status_code, same.json()["version"]) == (200, 2), "what changes nothing keeps the version"
    async with client(stranger.tokens["admin"]) as theirs:
        for call, body in (("", {"total_units": 1}), ("/approve", {}), ("/cancel", {})):
            answer = await theirs.request("POST" if call else "PATCH", path(practice) + call, json=body)
            assert (answer.status_code, answer.json()["field"]) == (404, "id"), call
    async with client(organization.tokens["scheduler"]) as desk:
        assert (await desk.patch(path(practice), json={"total_units": 1})).status_code == 403


async def test_what_the_payer_approves_becomes_bookable_at_once(practice: Practice) -> None:
    await practice.make(
        "authorizations", "pending", patient_id=practice.made["quin"], payer_id=practice.made["payer"],
        service_codes=["97153"], total_units=10, start_date="2020-01-01", end_date="2060-01-01", status="pending",
    )  # fmt: skip
    refused = await practice.refused(at(9), service_id="funded", patient_id="quin")
    assert refused["code"] == "authorization_inactive"
    number = {"authorization_number": "A-77", "total_units": 4, "end_date": "2061-01-01"}
    key = {"Idempotency-Key": "approved-once"}
    approved = await practice.admin.post(f"{path(practice, 'pending')}/approve", json=number, headers=key)
    assert approved.status_code == 200, approved.text
    assert approved.json() | number == approved.json()
    assert (approved.json()["approval"], approved.json()["status"]) == ("approved", "active")
    again = await practice.admin.post(f"{path(practice, 'pending')}/approve", json=number, headers=key)
    assert (again.content, again.headers["idempotency-replayed"]) == (approved.content, "true")
    await practice.book(at(9), service_id="funded", patient_id="quin")
    twice = practice.problem(await practice.admin.post(f"{path(practice, 'pending')}/approve"), 409)
    assert (twice["code"], twice["allowed"], twice["scheduled_units"]) == (
        "illegal_transition",
        ["cancel"],
        4,
    )


async def test_what_was_booked_against_a_pending_one_stays_on_it(practice: Practice) -> None:
    """However it came to be booked: approving it moves nothing, and the payer cannot approve less than is held."""
    visit = await practice.book(at(9), service_id="funded")
    await practice.stored(
        "update authorizations set approval = 'pending' where organization_id = $1 and id = $2",
        practice.made["authorization"],
    )
    approve = f"{path(practice)}/approve"
    for fields, code in (({"total_units": 3}, "totals_below_committed"),
                         ({"end_date": str(monday() - timedelta(days=1))}, "visits_stranded")):  # fmt: skip
        refused = practice.problem(await practice.admin.post(approve, json=fields), 409)
        assert (refused["code"], refused["stranded"][0]["appointment_id"]) == (code, visit["id"])
        assert (await practice.admin.get(path(practice))).json()["status"] == "pending"
    answer = await practice.admin.post(approve, json={"total_units": 4})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["scheduled_units"]) == ("active", 4)
    assert (await practice.get(visit))["units_reserved"] == 4


async def test_what_is_cancelled_gives_nothing_and_takes_back(practice: Practice) -> None:
    """Units by hand can be given back to one that is over; nothing else can be had of it."""
    await practice.admin.post(f"{path(practice)}/reserve", json={"units": 2})
    cancelled = await practice.admin.post(f"{path(practice)}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    for call, code in (("reserve", "authorization_inactive"), ("consume", "authorization_inactive")):
        answer = await practice.admin.post(f"{path(practice)}/{call}", json={"units": 1})
        assert practice.problem(answer, 409)["code"] == code
    released = await practice.admin.post(f"{path(practice)}/release", json={"units": 2})
    assert (released.status_code, released.json()["manual_units"]) == (200, 0)
    refused = await practice.refused(at(9), service_id="funded")
    assert refused["code"] == "authorization_inactive"
    for call in ("approve", "cancel"):
        twice = practice.problem(await practice.admin.post(f"{path(practice)}/{call}"), 409)
        assert (twice["code"], twice["allowed"]) == ("illegal_transition", [])


async def test_several_at_once_or_none(practice: Practice, stranger: Organization) -> None:
    def body(**more: Any) -> dict[str, Any]:
        return {
            "patient_id": practice.made["pat"], "payer": "Desert Care", "service_codes": ["97153"],
            "total_units": 5, "start_date": "2020-01-01", "end_date": "2060-01-01", **more,
        }  # fmt: skip

    async def listed() -> tuple[int, int]:
        found = [(await practice.admin.get(each)).json() for each in (AUTHORIZATIONS, f"{API}/payers")]
        return found[0]["total"], found[1]["total"]

    before = await listed()
    for number, wrong, field in (
        (1, body(end_date="2019-01-01"), "end_date"), (2, body(payer_id=practice.made["payer"]), "payer"),
        (0, body(total_units=0), "total_units"), (1, body(service_codes=["a", "a"]), "service_codes"),
    ):  # fmt: skip
        wishes = [body() for _ in range(3)]
        wishes[number] = wrong
        answer = await practice.admin.post(f"{AUTHORIZATIONS}/batch", json={"authorizations": wishes})
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == f"authorizations[{number}].{field}"
    for patient in (stranger.patient_id, ids.new()):
        wishes = [body(), body(patient_id=patient)]
        answer = await practice.admin.post(f"{AUTHORIZATIONS}/batch", json={"authorizations": wishes})
        assert (answer.status_code, answer.json()["field"]) == (404, "authorizations[1].patient_id")
    assert await listed() == before
    answer = await practice.admin.post(
        f"{AUTHORIZATIONS}/batch", json={"authorizations": [body(), body(status="pending")]}
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()["authorizations"]
    assert [each["status"] for each in made] == ["active", "pending"]
    assert len({each["payer_id"] for each in made}) == 1
    assert await listed() == (before[0] + 2, before[1] + 1)


async def test_a_visit_that_was_moved_away_is_not_in_the_way(practice: Practice) -> None:
    """The ledger names every line that ever held units; those that hold none now are nobody's reason."""
    visit = await practice.book(at(9), service_id="funded")
    await practice.make(
        "authorizations", "other", patient_id=practice.made["pat"], payer_id=practice.made["payer"],
        service_codes=["97153"], total_units=20, start_date=str(monday() + timedelta(days=31)), end_date="2060-01-01",
    )  # fmt: skip
    moved = await practice.move(visit, start=at(9, day=35))
    assert moved.status_code == 200, moved.text
    assert moved.json()["authorization_id"] == practice.made["other"]
    assert (await practice.admin.post(f"{path(practice)}/cancel")).status_code == 200
    assert (await practice.admin.get(f"{VISITS}/{visit['id']}")).json()["units_reserved"] == 4
