"""What becomes of a visit whose units are not approved: the payer's word (over_units), pending authorizations, and units that
come later.
"""

from datetime import timedelta
from typing import Any

import pytest
from api.practice import API, Practice, at, monday
from api.test_which_authorization import authorize, cover, payer

from holdfast import ids

UNITS_OF_AN_HOUR = 4


@pytest.fixture
async def wordy(practice: Practice) -> Practice:
    """Payers of every word, none of whom has approved anything for Quin."""
    for word in ("deny", "warn", "allow"):
        await payer(practice, word, over_units=word)
    return practice


async def therapy(practice: Practice, day: int = 0, hour: float = 9, **more: Any) -> Any:
    return await practice.book(at(hour, day), patient_id="quin", service_id="funded", **more)


async def refused(practice: Practice, day: int = 0, hour: float = 9, **more: Any) -> Any:
    return await practice.refused(at(hour, day), patient_id="quin", service_id="funded", **more)


def line(visit: Any, number: int = 1) -> tuple[Any, int, int, str | None]:
    found = next(each for each in visit["lines"] if each["line_no"] == number)
    return found["authorization_id"], found["units_reserved"], found["unfunded_units"], found["funding"]


async def fund_from(practice: Practice, called: str, **body: Any) -> Any:
    answer = await practice.admin.post(f"{API}/authorizations/{practice.made[called]}/fund", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    return answer.json()


async def test_without_authorization_the_first_payer_has_the_word(wordy: Practice) -> None:
    assert (await refused(wordy))["code"] == "authorization_missing", "nobody pays"
    await cover(wordy, ("deny", 1, None, None), ("allow", 2, None, None))
    told = await refused(wordy, acknowledge_unfunded=True)
    assert (told["code"], "may_acknowledge" in told) == ("authorization_missing", False)
    await cover(wordy, ("allow", 1, None, None), ("deny", 2, None, None))
    assert line(await therapy(wordy)) == (None, 0, UNITS_OF_AN_HOUR, "unfunded")
    await cover(wordy, ("warn", 1, None, None))
    told = await refused(wordy, 1)
    assert (told["code"], told["may_acknowledge"], told["acknowledge"]) == (
        "authorization_missing", True, "acknowledge_unfunded",
    )  # fmt: skip
    assert told["alternatives"]["slots"] == []
    visit = await therapy(wordy, 1, acknowledge_unfunded=True)
    assert line(visit) == (None, 0, UNITS_OF_AN_HOUR, "unfunded")
    assert visit["units_reserved"] == 0


@pytest.mark.parametrize("word", ["deny", "warn", "allow"])
async def test_what_is_there_is_held_and_the_rest_is_unfunded(wordy: Practice, word: str) -> None:
    short = await authorize(wordy, "short", word, total_units=3)
    if word != "allow":
        told = await refused(wordy)
        assert (told["code"], told["available"], told["requested"]) == ("insufficient_units", 3, 4)
        assert ("may_acknowledge" in told) == (word == "warn")
    if word == "deny":
        assert (await refused(wordy, acknowledge_unfunded=True))["code"] == "insufficient_units"
        return
    said = {} if word == "allow" else {"acknowledge_unfunded": True}
    assert line(await therapy(wordy, **said)) == (short, 3, 1, "unfunded")
    assert await wordy.units("short") == (3, 0)
    assert line(await therapy(wordy, 1, **said)) == (short, 0, 4, "unfunded"), (
        "a full one is still asked first"
    )
    assert line(await therapy(wordy, 2, authorization_id="short", **said)) == (short, 0, 4, "unfunded")


async def test_one_with_enough_comes_before_one_with_too_few(wordy: Practice) -> None:
    await cover(wordy, ("allow", 1, None, None), ("deny", 2, None, None))
    await authorize(wordy, "short", "allow", total_units=3)
    enough = await authorize(wordy, "enough", "deny")
    assert line(await therapy(wordy)) == (enough, 4, 0, None)


async def test_an_expired_one_holds_nothing(wordy: Practice) -> None:
    await authorize(wordy, "over", "allow", end_date=str(monday()))
    assert line(await therapy(wordy, 1)) == (None, 0, 4, "unfunded")
    assert line(await therapy(wordy, 2, authorization_id="over")) == (None, 0, 4, "unfunded")


async def test_what_is_named_wrongly_is_refused_whatever_the_payer_says(wordy: Practice) -> None:
    await authorize(wordy, "other code", "allow", service_codes=["97155"])
    told = await refused(wordy, authorization_id="other code", acknowledge_unfunded=True)
    assert told["code"] == "authorization_mismatch"
    told = await refused(wordy, authorization_id="authorization", acknowledge_unfunded=True)
    assert told["code"] == "authorization_mismatch", "it is Pat's"


@pytest.mark.parametrize("word", ["deny", "warn", "allow"])
async def test_a_pending_one_is_booked_against_at_its_payers_word(wordy: Practice, word: str) -> None:
    pending = await authorize(wordy, "pending", word, status="pending")
    said = {} if word == "allow" else {"acknowledge_unfunded": True}
    if word != "allow":
        told = await refused(wordy)
        assert (told["code"], told.get("may_acknowledge", False)) == (
            "authorization_inactive",
            word == "warn",
        )
    if word == "deny":
        assert (await refused(wordy, **said))["code"] == "authorization_inactive"
        return
    assert line(await therapy(wordy, **said)) == (pending, 4, 0, "pending")
    assert await wordy.units("pending") == (4, 36)
    approved = await authorize(wordy, "approved", word)
    assert line(await therapy(wordy, 1, **said)) == (approved, 4, 0, None), "approved before pending"


async def test_what_was_pending_waits_no_more_when_it_is_approved(wordy: Practice) -> None:
    """In the turn of the approval, visit by visit, the units staying where they are."""
    pending = await authorize(wordy, "pending", "allow", status="pending", total_units=10)
    visits = [await therapy(wordy, day) for day in range(3)]
    assert [line(visit)[1:] for visit in visits] == [(4, 0, "pending"), (4, 0, "pending"), (2, 2, "unfunded")]
    approval = await wordy.admin.post(f"{API}/authorizations/{pending}/approve")
    assert (approval.status_code, approval.json()["scheduled_units"]) == (200, 10), approval.text
    after = [await wordy.get(visit) for visit in visits]
    assert [line(visit) for visit in after] == [
        (pending, 4, 0, None),
        (pending, 4, 0, None),
        (pending, 2, 2, "unfunded"),
    ]
    assert [visit["version"] for visit in after] == [2, 2, 1]
    told = await wordy.stored("select kind from events where organization_id = $1 order by seq desc limit 2")
    assert [row["kind"] for row in told] == ["appointment.funded"] * 2


async def test_what_was_acknowledged_is_not_asked_again(wordy: Practice) -> None:
    """Another room, another time, another day: as long as no more is unfunded. A visit that comes back asks anew."""
    short = await authorize(wordy, "short", "warn", total_units=3)
    visit = await therapy(wordy, acknowledge_unfunded=True)
    moved = await wordy.done(await wordy.move(visit, room_id="room 2"))
    moved = await wordy.done(await wordy.move(moved, start=at(11, 2)))
    assert line(moved) == (short, 3, 1, "unfunded")
    longer = await wordy.move(moved, end=at(12.5, 2))
    told = wordy.problem(longer, 409)
    assert (told["code"], told["may_acknowledge"]) == ("insufficient_units", True)
    longer = await wordy.done(await wordy.move(moved, end=at(12.5, 2), acknowledge_unfunded=True))
    assert line(longer) == (short, 3, 3, "unfunded")
    gone = await wordy.done(await wordy.call(longer, "cancel"))
    assert line(gone) == (short, 0, 0, None)
    assert await wordy.units("short") == (0, 3)
    assert wordy.problem(await wordy.call(gone, "reinstate"), 409)["may_acknowledge"] is True
    back = await wordy.done(await wordy.call(gone, "reinstate", acknowledge_unfunded=True))
    assert line(back) == (short, 3, 3, "unfunded")


async def test_who_joins_is_asked_as_who_books(wordy: Practice) -> None:
    await cover(wordy, ("warn", 1, None, None))
    visit = await wordy.book(at(9), patient_id="quin")
    joins = {
        "practitioner_id": wordy.made["ben"],
        "service_id": wordy.made["funded"],
        "start": at(10),
        "end": at(11),
    }
    where = f"{API}/appointments/{visit['id']}/lines"
    told = wordy.problem(await wordy.admin.post(where, json=joins), 409)
    assert (told["code"], told["may_acknowledge"]) == ("authorization_missing", True)
    joined = await wordy.admin.post(where, json=joins | {"acknowledge_unfunded": True})
    assert joined.status_code == 201, joined.text
    assert line(joined.json(), 2) == (None, 0, 4, "unfunded")
    shorter = await wordy.admin.patch(f"{where}/2", json={"end": at(10.5)})
    assert line(shorter.json(), 2) == (None, 0, 2, "unfunded")


async def test_a_hold_is_asked_as_a_booking_and_takes_no_units(wordy: Practice) -> None:
    await authorize(wordy, "short", "warn", total_units=3)
    wish = wordy.booking(at(9), patient_id="quin", service_id="funded")
    assert wordy.problem(await wordy.admin.post(f"{API}/holds", json=wish), 409)["may_acknowledge"] is True
    held = await wordy.admin.post(f"{API}/holds", json=wish | {"acknowledge_unfunded": True})
    assert held.status_code == 201, held.text
    assert await wordy.units("short") == (0, 3)
    assert (await refused(wordy, hold_id=held.json()["hold_id"]))["code"] == "insufficient_units"
    visit = await therapy(wordy, hold_id=held.json()["hold_id"], acknowledge_unfunded=True)
    assert line(visit)[1:] == (3, 1, "unfunded")


async def test_what_is_free_can_be_booked_as_it_is_asked(wordy: Practice) -> None:
    await cover(wordy, ("warn", 1, None, None))
    asked: dict[str, Any] = {
        "clinic_id": wordy.made["clinic"], "service_id": wordy.made["funded"], "patient_id": wordy.made["quin"],
        "start_date": str(monday()), "end_date": str(monday() + timedelta(days=1)), "limit": 5,
    }  # fmt: skip
    plain = await wordy.admin.get(f"{API}/availability", params=asked)
    assert plain.json()["slots"] == []
    said = await wordy.admin.get(f"{API}/availability", params=asked | {"acknowledge_unfunded": True})
    slot = said.json()["slots"][0]
    visit = await wordy.book(
        slot["start"], patient_id="quin", service_id="funded", practitioner_id=slot["practitioner_id"],
        acknowledge_unfunded=True,
    )  # fmt: skip
    assert visit["start"] == slot["start"]
    weeks = asked | {"weeks": 1, "time": "15:00", "weekdays": "0"}
    del weeks["end_date"]
    for said_so, free in (("false", 0), ("true", 1)):
        found = await wordy.admin.get(
            f"{API}/availability/patterns", params=weeks | {"acknowledge_unfunded": said_so}
        )
        assert max([each["free_count"] for each in found.json()["patterns"]], default=0) == free


async def test_units_that_come_later_go_to_the_earliest(wordy: Practice) -> None:
    await cover(wordy, ("allow", 1, None, None))
    visits = [await therapy(wordy, day) for day in (3, 1, 2)]
    other = await wordy.book(at(9, 4), patient_id="quin")
    gone = await therapy(wordy, 0)
    await wordy.done(await wordy.call(gone, "cancel"))
    ten = await authorize(wordy, "ten", "allow", total_units=10)
    told = await fund_from(wordy, "ten")
    assert [(each["appointment_id"], each["units"], each["unfunded_units"]) for each in told["funded"]] == [
        (visits[1]["id"], 4, 0), (visits[2]["id"], 4, 0), (visits[0]["id"], 2, 2),
    ]  # fmt: skip
    assert (told["scheduled_units"], told["available_units"], told["truncated"]) == (10, 0, False)
    assert [line(await wordy.get(visit)) for visit in (visits[1], visits[0], other)] == [
        (ten, 4, 0, None), (ten, 2, 2, "unfunded"), (None, 0, 0, None),
    ]  # fmt: skip
    assert await wordy.entries("ten") == [("reserve", 4), ("reserve", 4), ("reserve", 2)]
    again = await fund_from(wordy, "ten")
    assert (again["funded"], again["version"]) == ([], told["version"]), "nothing is left, nothing happens"
    six = await authorize(wordy, "six", "allow", total_units=6)
    told = await fund_from(wordy, "six")
    assert [(each["appointment_id"], each["units"]) for each in told["funded"]] == [(visits[0]["id"], 4)]
    assert line(await wordy.get(visits[0])) == (six, 4, 0, None), "it changes over wholly"
    assert await wordy.units("ten") == (8, 2)


async def test_funding_keeps_to_codes_dates_and_the_patient(wordy: Practice) -> None:
    await cover(wordy, ("allow", 1, None, None))
    first, last = await therapy(wordy, 1), await therapy(wordy, 3)
    await authorize(wordy, "window", "allow", start_date=str(monday() + timedelta(days=2)),
                    end_date=str(monday() + timedelta(days=3)))  # fmt: skip
    await authorize(wordy, "code", "allow", service_codes=["97155"])
    await authorize(wordy, "pats", "allow", patient_id=wordy.made["pat"])
    for called in ("code", "pats"):
        assert (await fund_from(wordy, called))["funded"] == []
    told = await fund_from(wordy, "window")
    assert [each["appointment_id"] for each in told["funded"]] == [last["id"]], "the last day counts"
    assert line(await wordy.get(first))[3] == "unfunded"


async def test_who_may_fund_and_from_what(wordy: Practice) -> None:
    await authorize(wordy, "pending", "allow", status="pending")
    answer = await wordy.admin.post(f"{API}/authorizations/{wordy.made['pending']}/fund")
    assert (answer.status_code, answer.json()["code"]) == (409, "authorization_inactive")
    assert answer.json()["available_units"] == 40
    for unknown in (ids.new(), "nothing"):
        answer = await wordy.admin.post(f"{API}/authorizations/{unknown}/fund")
        assert answer.status_code == 404
    await authorize(wordy, "good", "allow")
    stale = await wordy.admin.post(
        f"{API}/authorizations/{wordy.made['good']}/fund", headers={"If-Match": '"7"'}
    )
    assert stale.status_code == 412
    wrong = await wordy.admin.post(f"{API}/authorizations/{wordy.made['good']}/fund", json={"serie": "x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "unknown_field")
    series = await wordy.admin.post(
        f"{API}/authorizations/{wordy.made['good']}/fund", json={"series_id": ids.new()}
    )
    assert (series.status_code, series.json()["field"]) == (404, "series_id")


async def test_the_same_key_funds_once(wordy: Practice) -> None:
    await cover(wordy, ("allow", 1, None, None))
    await therapy(wordy)
    await authorize(wordy, "ten", "allow", total_units=10)
    where = f"{API}/authorizations/{wordy.made['ten']}/fund"
    first, second = [await wordy.admin.post(where, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert await wordy.entries("ten") == [("reserve", 4)]


async def test_times_that_change_are_priced_anew(wordy: Practice) -> None:
    """A longer visit takes more, a shorter gives back; over the end of one authorization the next one pays."""
    first = await authorize(wordy, "first", "deny", end_date=str(monday() + timedelta(days=1)))
    second = await authorize(wordy, "second", "deny", start_date=str(monday() + timedelta(days=2)))
    visit = await therapy(wordy)
    longer = await wordy.done(await wordy.move(visit, end=at(10.5)))
    assert (line(longer)[:2], await wordy.units("first")) == ((first, 6), (6, 34))
    shorter = await wordy.done(await wordy.move(longer, end=at(9.5)))
    assert (line(shorter)[:2], await wordy.units("first")) == ((first, 2), (2, 38))
    across = await wordy.done(await wordy.move(shorter, start=at(9, 2)))
    assert line(across)[:2] == (second, 2)
    assert (await wordy.units("first"), await wordy.units("second")) == ((0, 40), (2, 38))


async def test_the_last_day_of_an_authorization_counts(wordy: Practice) -> None:
    """By the clinic's own date: late in the evening there is the next day in UTC."""
    last = await authorize(wordy, "last", "deny", end_date=str(monday()))
    visit = await therapy(wordy, hour=17)
    assert visit["start"] > f"{monday() + timedelta(days=1)}", "it is past midnight in UTC"
    assert line(visit)[:2] == (last, 4)
    assert (await refused(wordy, 1))["code"] == "authorization_expired"


@pytest.mark.parametrize("call", ["cancel", "no-show"])
async def test_who_does_not_come_gives_back_all_units(wordy: Practice, call: str) -> None:
    await authorize(wordy, "good", "deny")
    visit = await therapy(wordy)
    assert await wordy.units("good") == (4, 36)
    await wordy.done(await wordy.call(visit, call))
    assert await wordy.units("good") == (0, 40)
    assert await wordy.entries("good") == [("reserve", 4), ("release", 4)]


async def test_each_date_of_a_series_says_what_it_waits_for(wordy: Practice) -> None:
    """It outlives its authorization; the renewal pays for the rest in one call, of this series alone."""
    await cover(wordy, ("warn", 1, None, None))
    short = await authorize(wordy, "short", "warn", total_units=6, end_date=str(monday() + timedelta(days=7)))
    body = wordy.booking(at(9), patient_id="quin", service_id="funded") | {"rrule": "FREQ=WEEKLY;COUNT=4"}
    refused_dates = await wordy.admin.post(f"{API}/appointments/series", json=body)
    assert (refused_dates.status_code, refused_dates.json()["code"]) == (409, "series_conflict")
    made = await wordy.admin.post(f"{API}/appointments/series", json=body | {"acknowledge_unfunded": True})
    assert made.status_code == 201, made.text
    assert [line(visit) for visit in made.json()["booked"]] == [
        (short, 4, 0, None), (short, 2, 2, "unfunded"), (None, 0, 4, "unfunded"), (None, 0, 4, "unfunded"),
    ]  # fmt: skip
    other = await therapy(wordy, 9, acknowledge_unfunded=True)
    await authorize(wordy, "renewal", "warn", start_date=str(monday() + timedelta(days=8)))
    told = await fund_from(wordy, "renewal", series_id=made.json()["series_id"])
    assert [each["units"] for each in told["funded"]] == [4, 4]
    assert line(await wordy.get(other))[3] == "unfunded"
