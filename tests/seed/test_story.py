"""The demo's stories, each found and acted upon over HTTP by somebody who signs in: what is described can be clicked."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from seed.conftest import Told, every, signed_in

from holdfast import seed
from holdfast.app import Application
from holdfast.settings import Settings
from holdfast.slot import instant, rfc3339

pytestmark = pytest.mark.usefixtures("seeded_demo")
Item = dict[str, Any]
_MINUTE = 60


class Clinic:
    """One organization as its front desk sees it, and others of its people who have signed in."""

    def __init__(self, clients: dict[str, httpx2.AsyncClient]) -> None:
        self.clients = clients
        self.desk = clients["scheduler"]

    async def load(self) -> None:
        self.staff = await every(self.desk, "practitioners")
        self.services = {each["code"]: each for each in await every(self.desk, "services")}
        self.codes = {each["id"]: each["code"] for each in self.services.values()}
        self.rooms = await every(self.desk, "rooms")
        self.patients = {each["id"]: each for each in await every(self.desk, "patients")}
        self.payers = {each["id"]: each for each in await every(self.desk, "payers")}
        today = datetime.now(UTC).date()
        self.visits = await every(
            self.desk,
            "appointments",
            start_date=today - timedelta(days=15),
            end_date=today + timedelta(days=22),
        )
        soon = rfc3339(int(datetime.now(UTC).timestamp()) + 30 * _MINUTE)
        self.ahead = [
            each
            for each in self.visits
            if each["status"] in {"scheduled", "confirmed"}
            and each["start"] > soon
            and not each["needs_action"]
        ]

    def lines(self, visit: Item) -> list[str]:
        return [self.codes[line["service_id"]] for line in visit["lines"]]

    def payer(self, visit: Item) -> str:
        coverages = self.patients[visit["patient_id"]]["coverages"]
        return str(self.payers[coverages[0]["payer_id"]]["name"]) if coverages else ""


@asynccontextmanager
async def opened(settings: Settings, told: Told, domain: str) -> AsyncIterator[Clinic]:
    found = await seed.seeded(settings, "demo", 1, told.append)
    application = Application(settings)
    async with application.running(), AsyncExitStack() as stack:
        clients = {}
        for user in found.users:
            word, _, of = user.email.partition("@")
            if of == domain:
                clients[word] = await stack.enter_async_context(signed_in(application, user))
        clinic = Clinic(clients)
        await clinic.load()
        yield clinic


def after(start: str, minutes: int) -> str:
    return rfc3339(instant(start) + minutes * _MINUTE)


async def test_juniper(settings: Settings, told: Told) -> None:
    async with opened(settings, told, "juniper.example") as clinic:
        await supervisors_join(clinic)
        await four_children_share_a_therapist(clinic)
        await somebody_is_on_the_way(clinic)
        await a_parent_comes_without_the_child(clinic)
        await three_rooms_suit_a_wheelchair(clinic)
        await the_visit_without_a_room_gets_one(clinic)
        await a_time_is_held(clinic)
        await staff_have_lunch_and_meet(clinic)
        await authorizations_tell(clinic)
        await a_parent_sees_their_child(clinic)
        await the_sick_therapists_visits_go_to_others(clinic)


async def supervisors_join(clinic: Clinic) -> None:
    joined = [each for each in clinic.visits if clinic.lines(each) == ["97153", "97155"]]
    assert {"completed", "scheduled"} <= {each["status"] for each in joined}
    for visit in joined:
        session, supervision = visit["lines"]
        assert session["start"] <= supervision["start"] < supervision["end"] <= session["end"]
        if visit["status"] != "cancelled":
            assert session["authorization_id"] != supervision["authorization_id"]
    alone = [
        each for each in clinic.ahead if clinic.lines(each) == ["97153"] and each["location"] == "on_site"
    ]
    supervisor = joined[0]["lines"][1]["practitioner_id"]
    answers: Counter[tuple[str, Any]] = Counter()
    for visit in alone:
        answer = await clinic.desk.post(f"appointments/{visit['id']}/lines", json={
            "practitioner_id": supervisor, "service_id": clinic.services["97155"]["id"],
            "start": after(visit["start"], 30), "duration_minutes": 60,
        })  # fmt: skip
        answers[clinic.payer(visit), answer.json().get("code", answer.status_code)] += 1
        if answer.status_code == 201:
            assert len(answer.json()["lines"]) == 2
            assert all(line["units_reserved"] for line in answer.json()["lines"])
    assert answers["Saguaro Health Plan", 201]
    assert not answers["Rio Mutual", 201]
    assert answers["Rio Mutual", "concurrent_not_allowed"]


async def four_children_share_a_therapist(clinic: Clinic) -> None:
    group = [each for each in clinic.ahead if clinic.lines(each) == ["97154"]]
    first = [each for each in group if each["start"] == group[0]["start"]]
    assert len(first) == 4
    assert len({(each["room_id"], each["practitioner_id"]) for each in first}) == 1
    parents = Counter(
        link["contact_id"] for each in first for link in clinic.patients[each["patient_id"]]["contacts"]
    )
    assert max(parents.values()) == 2, "siblings are among them"
    found = (await clinic.desk.get(f"groups/{first[0]['group_id']}")).json()
    assert {each["id"] for each in first} <= {each["id"] for each in found["members"]}
    assert (found["members_count"], found["members_max"], found["needs_action"]) == (4, 6, None)
    room = next(each for each in clinic.rooms if each["id"] == first[0]["room_id"])
    assert (room["name"], room["concurrent_visits_max"]) == ("Playroom", 4)
    path = f"appointments/{first[0]['id']}"
    left = await clinic.desk.post(f"{path}/cancel", json={"cancelled_by": "caregiver"})
    assert left.status_code == 200, left.text
    again = await clinic.desk.post(f"{path}/reinstate", json={})
    assert (again.status_code, again.json()["room_id"]) == (200, room["id"]), again.text


async def somebody_is_on_the_way(clinic: Clinic) -> None:
    home = next(each for each in clinic.ahead if each["location"] == "home")
    assert home["lines"][0]["travel_before_minutes"] == 30
    answer = await clinic.desk.get("appointments/conflicts", params={
        "practitioner_id": home["practitioner_id"], "start": after(home["start"], -20),
        "end": after(home["start"], -10),
    })  # fmt: skip
    assert answer.json()["has_conflict"], answer.text
    nearer = await clinic.desk.patch(f"appointments/{home['id']}/lines/1", json={"travel_before_minutes": 15})
    assert nearer.status_code == 200, nearer.text


async def a_parent_comes_without_the_child(clinic: Clinic) -> None:
    guidance = [each for each in clinic.ahead if clinic.lines(each) == ["97156"]]
    for visit in guidance:
        (line,) = visit["lines"]
        contacts = [link["contact_id"] for link in clinic.patients[visit["patient_id"]]["contacts"]]
        assert not line["patient_present"]
        assert line["caregiver_id"] in contacts
    visit = next(each for each in guidance if each["status"] == "scheduled")
    answer = await clinic.desk.post(f"appointments/{visit['id']}/confirm", json={})
    assert answer.status_code == 200, answer.text


async def three_rooms_suit_a_wheelchair(clinic: Clinic) -> None:
    (patient,) = (each for each in clinic.patients.values() if each["needs"] == ["wheelchair"])
    evaluation = clinic.services["97161"]["id"]
    place = next(each["clinic_id"] for each in clinic.rooms if each["name"] == "PT Gym")
    first = datetime.now(UTC).date() + timedelta(days=22)
    slots = (await clinic.desk.get("availability", params={
        "clinic_id": place, "service_id": evaluation, "patient_id": patient["id"], "start_date": first.isoformat(),
        "end_date": (first + timedelta(days=6)).isoformat(),
    })).json()["slots"]  # fmt: skip
    body = {
        "clinic_id": place, "patient_id": patient["id"], "service_id": evaluation,
        "practitioner_id": slots[0]["practitioner_id"], "start": slots[0]["start"],
    }  # fmt: skip
    wrong = next(each["id"] for each in clinic.rooms if each["name"] == "Therapy 2")
    refused = await clinic.desk.post("appointments", json={**body, "room_id": wrong})
    assert (refused.status_code, refused.json()["code"]) == (409, "rule_violation"), refused.text
    rooms = refused.json()["alternatives"]["rooms"]
    names = {room["id"]: room["name"] for room in clinic.rooms}
    assert {names[each["room_id"]] for each in rooms} == {"Therapy 1", "PT Gym", "Consult"}
    booked = await clinic.desk.post("appointments", json={**body, "room_id": rooms[0]["room_id"]})
    assert booked.status_code == 201, booked.text
    assert booked.json()["has_alerts"]


async def the_visit_without_a_room_gets_one(clinic: Clinic) -> None:
    (item,) = await every(clinic.desk, "worklists/unassigned_room")
    visit = item["appointment"]
    room = next(each for each in clinic.rooms if each["name"] == "Family room")
    answer = await clinic.desk.patch(f"appointments/{visit['id']}", json={"room_id": room["id"]})
    assert (answer.status_code, answer.json()["room_number"]) == (200, room["number"]), answer.text
    assert not await every(clinic.desk, "worklists/unassigned_room")


async def a_time_is_held(clinic: Clinic) -> None:
    (speech,) = (each for each in clinic.staff if each["credentials"][0]["code"] == "CCC-SLP")
    held = []
    for days in range(1, 17):
        begins = int(datetime.now(UTC).timestamp()) // _MINUTE * _MINUTE + days * 24 * 60 * _MINUTE
        answer = await clinic.desk.get("appointments/conflicts", params={
            "practitioner_id": speech["id"], "start": rfc3339(begins), "end": after(rfc3339(begins), 24 * 60),
        })  # fmt: skip
        held += [each for each in answer.json()["conflicts"] if each["status"] == "hold"]
    assert len({each["start"] for each in held}) == 1
    other = next(each for each in clinic.patients.values() if each["is_active"])
    refused = await clinic.desk.post("appointments", json={
        "clinic_id": speech["clinic_ids"][0], "patient_id": other["id"], "practitioner_id": speech["id"],
        "service_id": clinic.services["INTAKE30"]["id"], "start": held[0]["start"],
    })  # fmt: skip
    assert (refused.status_code, refused.json()["code"]) == (409, "practitioner_conflict"), refused.text
    assert {each["status"] for each in refused.json()["conflicts"]} == {"hold"}


async def staff_have_lunch_and_meet(clinic: Clinic) -> None:
    blocks = await every(clinic.desk, "blocks")
    for kind, attendees in (("break", 4), ("meeting", 4)):
        some = [each for each in blocks if each["kind"] == kind]
        assert len({each["series_id"] for each in some}) == 2, "one in each clinic, every week again"
        assert all(len(each["practitioner_ids"]) >= attendees for each in some)


async def authorizations_tell(clinic: Clinic) -> None:
    biller = clinic.clients["biller"]
    found = await every(biller, "authorizations")
    assert {"pending", "active", "exhausted", "expired"} == {each["status"] for each in found}
    soon = await every(biller, "worklists/expiring_authorizations")
    ends = (datetime.now(UTC).date() + timedelta(days=9)).isoformat()
    left = [each["authorization"] for each in soon if each["authorization"]["end_date"] <= ends]
    assert any(each["available_units"] > each["total_units"] / 2 for each in left), "most of it is unused"
    assert any(each["used_units"] * 100 // each["total_units"] >= 92 for each in found)
    assert any(len(each["service_codes"]) == 4 for each in found), "grouped"


async def a_parent_sees_their_child(clinic: Clinic) -> None:
    parent = clinic.clients["parent"]
    me = (await parent.get("auth/me")).json()
    assert "patient_id" not in me
    assert len(me["patient_ids"]) == 2, "siblings"
    own = await every(parent, "appointments")
    assert {each["patient_id"] for each in own} == set(me["patient_ids"])
    assert any(clinic.lines(each) == ["97154"] for each in own)


async def the_sick_therapists_visits_go_to_others(clinic: Clinic) -> None:
    items = [each["appointment"] for each in await every(clinic.desk, "worklists/needs_action")]
    sick = [each for each in items if each["needs_action"] == "practitioner_absent"]
    assert len(sick) == 4
    assert len({each["practitioner_id"] for each in sick}) == 1
    colleagues = [
        each for each in clinic.staff if {"PT", "PTA"} & {held["code"] for held in each["credentials"]}
        and each["id"] != sick[0]["practitioner_id"]
    ]  # fmt: skip
    for visit in sick:
        assert await _handed_over(clinic, visit, colleagues), visit["start"]
    left = [each["appointment"]["id"] for each in await every(clinic.desk, "worklists/needs_action")]
    assert not {each["id"] for each in sick} & set(left)


async def _handed_over(clinic: Clinic, visit: Item, colleagues: list[Item]) -> bool:
    """A colleague takes a visit at its time, or at the nearest that is offered."""
    path = f"appointments/{visit['id']}"
    for colleague in colleagues:
        wish: Item = {"practitioner_id": colleague["id"]}
        answer = await clinic.desk.patch(path, json=wish)
        if answer.status_code == 409 and answer.json()["alternatives"]["slots"]:
            start = answer.json()["alternatives"]["slots"][0]["start"]
            answer = await clinic.desk.patch(path, json={**wish, "start": start})
        if answer.status_code == 200:
            assert answer.json()["needs_action"] is None
            return True
    return False


async def test_harbor(settings: Settings, told: Told) -> None:
    """A dentist over two chairs: an assistant is there for the whole visit, the dentist in its middle."""
    async with opened(settings, told, "harbor.example") as clinic:
        (dentist,) = (each for each in clinic.staff if each["credentials"][0]["code"] == "DDS")
        chairs = [each for each in clinic.ahead if len(each["lines"]) == 2]
        for visit in chairs:
            assistant, work = visit["lines"]
            assert work["practitioner_id"] == dentist["id"] != assistant["practitioner_id"]
            assert assistant["start"] < work["start"] < work["end"] < assistant["end"]
        one, other = next(
            (one, other)
            for one in chairs
            for other in chairs
            if one["start"] < other["start"] < one["end"] and one["room_id"] != other["room_id"]
        )
        path = f"appointments/{one['id']}/lines/2"
        taken = await clinic.desk.patch(path, json={"start": after(other["lines"][1]["start"], -15)})
        assert (taken.status_code, taken.json()["code"]) == (409, "practitioner_conflict"), taken.text
        end = after(one["lines"][1]["end"], -10)
        shorter = await clinic.desk.patch(path, json={"end": end})
        assert (shorter.status_code, shorter.json()["lines"][1]["end"]) == (200, end), shorter.text


@pytest.mark.parametrize("domain", ["juniper.example", "harbor.example"])
async def test_people_are_reached_and_paid_for(settings: Settings, told: Told, domain: str) -> None:
    async with opened(settings, told, domain) as clinic:
        contacts = await every(clinic.desk, "contacts")
        assert all(each["phone"] and each["email"] and each["consent_recorded_by"] for each in contacts)
        assert all(each["languages"] for each in clinic.staff)
        covered = [each for each in clinic.patients.values() if each["coverages"]]
        assert 0 < len(covered) < len(clinic.patients)
