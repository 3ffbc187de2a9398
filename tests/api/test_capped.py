"""How many units a payer pays for a day or a week: by payers and authorizations, held against counters that move with the
ledger.
"""

from datetime import timedelta
from typing import Any

import pytest
from api.practice import API, Practice, at, monday
from api.test_which_authorization import authorize, payer

from holdfast.proof.statements import statement

KNOWN = {
    "97151": 32,
    "97152": 16,
    "97153": 32,
    "97154": 18,
    "97155": 24,
    "97156": 16,
    "97157": 16,
    "97158": 16,
}


async def capped(practice: Practice, policy: str, units: int = 8, **more: Any) -> str:
    """Quin's payer pays for so many units of therapy a day, and has approved forty."""
    await payer(practice, "sun", cap_policy=policy, unit_caps=[{"code": "97153", "units": units}])
    return await authorize(practice, "by sun", "sun", **more)


async def therapy(practice: Practice, day: int = 0, hour: float = 8, **more: Any) -> Any:
    return await practice.book(at(hour, day), patient_id="quin", service_id="funded", **more)


async def refused(practice: Practice, day: int = 0, hour: float = 8, **more: Any) -> Any:
    return await practice.refused(at(hour, day), patient_id="quin", service_id="funded", **more)


async def counted(practice: Practice) -> dict[int, int]:
    """What is counted, by days after Monday; and what every line says is the same."""
    rows = await practice.stored("select on_date, sum(units)::integer as units from unit_counts where organization_id = $1 group by 1")  # fmt: skip
    assert await practice.stored(statement("invariants/counts_equal_lines")) == []
    return {(row["on_date"] - monday()).days: row["units"] for row in rows if row["units"]}


async def test_a_payer_knows_the_usual_caps_and_warns(practice: Practice) -> None:
    made = await practice.admin.get(f"{API}/payers/{practice.made['payer']}")
    assert {each["code"]: each["units"] for each in made.json()["unit_caps"]} == KNOWN
    assert made.json()["cap_policy"] == "warn"
    changed = await practice.change("payers", "payer", unit_caps=[{"code": "97153", "units": 4}])
    assert changed["unit_caps"] == [{"code": "97153", "units": 4}]


async def test_what_a_cap_cannot_be(practice: Practice) -> None:
    cap = {"code": "97153", "units": 4}
    for caps, field in (
        ([cap, cap], "unit_caps"), ([cap | {"units": 0}], "unit_caps[0].units"),
    ):  # fmt: skip
        answer = await practice.admin.post(f"{API}/payers", json={"name": "No", "unit_caps": caps})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    body = {
        "patient_id": practice.made["quin"], "payer_id": practice.made["payer"], "service_codes": ["97153"],
        "total_units": 40, "start_date": "2026-01-01", "end_date": "2026-12-31",
    }  # fmt: skip
    day = {"units": 4, "per": "day"}
    for given, field in (
        ([day | {"code": "97155"}], "caps[0].code"), ([day, day], "caps"), ([day | {"per": "month"}], "caps[0].per"),
    ):  # fmt: skip
        answer = await practice.admin.post(f"{API}/authorizations", json=body | {"caps": given})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    caps = [day, day | {"per": "week", "code": "97153"}]
    answer = await practice.admin.post(f"{API}/authorizations", json=body | {"caps": caps})
    assert (answer.status_code, answer.json()["caps"]) == (201, caps)
    changed = await practice.admin.patch(f"{API}/authorizations/{answer.json()['id']}", json={"caps": [day]})
    assert (changed.status_code, changed.json()["caps"]) == (200, [day]), changed.text


async def test_beyond_a_cap_that_denies_nothing_is_booked(practice: Practice) -> None:
    await capped(practice, "deny")
    await therapy(practice)
    await therapy(practice, hour=9.5)
    told = await refused(practice, hour=11, acknowledge_cap=True)
    assert told["code"] == "cap_exceeded"
    assert {name: told[name] for name in ("cap", "per", "counted", "requested", "service_code")} == {
        "cap": 8, "per": "day", "counted": 8, "requested": 4, "service_code": "97153",
    }  # fmt: skip
    assert "may_acknowledge" not in told
    assert told["alternatives"]["slots"], "another day has room"
    assert all(not at(0) <= slot["start"] < at(24) for slot in told["alternatives"]["slots"])
    again = await therapy(practice, 1)
    assert again["units_reserved"] == 4
    assert await counted(practice) == {0: 8, 1: 4}


async def test_beyond_a_cap_that_warns_is_booked_when_it_is_acknowledged(practice: Practice) -> None:
    await capped(practice, "warn", 4)
    await therapy(practice)
    told = await refused(practice, hour=9.5)
    assert (told["code"], told["may_acknowledge"], told["acknowledge"]) == (
        "cap_exceeded", True, "acknowledge_cap",
    )  # fmt: skip
    visit = await therapy(practice, hour=9.5, acknowledge_cap=True)
    assert await counted(practice) == {0: 8}
    moved = await practice.done(await practice.move(visit, start=at(11)))
    assert moved["units_reserved"] == 4, "what stands is not asked again"
    longer = practice.problem(await practice.move(moved, end=at(12.25)), 409)
    assert longer["code"] == "cap_exceeded"
    await practice.done(await practice.move(moved, end=at(12.25), acknowledge_cap=True))
    assert await counted(practice) == {0: 9}


async def test_a_cap_that_allows_only_counts(practice: Practice) -> None:
    await capped(practice, "allow", 4)
    for hour in (8, 9.5):
        await therapy(practice, hour=hour)
    assert await counted(practice) == {0: 8}


async def test_the_counts_follow_what_becomes_of_visits(practice: Practice) -> None:
    await capped(practice, "deny")
    visit = await therapy(practice)
    assert await counted(practice) == {0: 4}
    moved = await practice.done(await practice.move(visit, start=at(9, 3)))
    assert await counted(practice) == {3: 4}
    longer = await practice.done(await practice.move(moved, end=at(11, 3)))
    assert await counted(practice) == {3: 8}
    await practice.done(await practice.call(longer, "cancel"))
    assert await counted(practice) == {}
    await practice.done(await practice.call(longer, "reinstate"))
    assert await counted(practice) == {3: 8}
    await practice.done(await practice.call(longer, "no-show"))
    assert await counted(practice) == {}


async def test_a_week_begins_when_its_payer_says(practice: Practice) -> None:
    """Twelve units a week of both codes together; the week begins on Wednesday."""
    await payer(practice, "sun", cap_policy="deny", unit_caps=[], week_start=2)
    caps = [{"units": 12, "per": "week"}, {"units": 8, "per": "day", "code": "97153"}]
    await authorize(practice, "by sun", "sun", caps=caps)
    for day in (2, 3, 4):
        await therapy(practice, day)
    assert (await refused(practice, 5))["counted"] == 12
    assert (await refused(practice, 7))["per"] == "week"
    await therapy(practice, 9)
    await therapy(practice, 1)
    assert await counted(practice) == {1: 4, 2: 4, 3: 4, 4: 4, 9: 4}


async def test_lines_of_one_visit_are_counted_together(practice: Practice) -> None:
    await capped(practice, "deny", 6)
    more = {
        "practitioner_id": practice.made["ben"],
        "service_id": practice.made["funded"],
        "start": at(9),
        "end": at(10),
    }
    told = await refused(practice, lines=[more])
    assert (told["code"], told["counted"], told["requested"]) == ("cap_exceeded", 4, 4)
    visit = await therapy(practice, lines=[more | {"end": at(9.5)}])
    assert [line["units_reserved"] for line in visit["lines"]] == [4, 2]
    assert await counted(practice) == {0: 6}


async def test_what_is_unfunded_is_not_counted(practice: Practice) -> None:
    await payer(
        practice, "sun", over_units="allow", cap_policy="deny", unit_caps=[{"code": "97153", "units": 4}]
    )
    await authorize(practice, "by sun", "sun", total_units=2)
    await therapy(practice)
    await therapy(practice, hour=9.5)
    assert await counted(practice) == {0: 2}
    more = await authorize(practice, "more", "sun", total_units=40)
    told = await practice.admin.post(f"{API}/authorizations/{more}/fund")
    assert [each["units"] for each in told.json()["funded"]] == [2], "as far as the cap goes"
    assert await counted(practice) == {0: 4}


async def test_what_is_free_keeps_to_the_caps(practice: Practice) -> None:
    await capped(practice, "warn", 4)
    await therapy(practice, 1)
    asked: dict[str, Any] = {
        "clinic_id": practice.made["clinic"], "service_id": practice.made["funded"], "patient_id": practice.made["quin"],
        "start_date": str(monday()), "end_date": str(monday() + timedelta(days=2)), "limit": 500,
    }  # fmt: skip

    async def days(**more: Any) -> set[int]:
        slots = (await practice.admin.get(f"{API}/availability", params=asked | more)).json()["slots"]
        return {n for n in range(3) for slot in slots if at(0, n) <= slot["start"] < at(0, n + 1)}

    assert await days() == {0, 2}
    assert await days(acknowledge_cap=True) == {0, 1, 2}
    del asked["end_date"]
    asked |= {"limit": 5, "weeks": 1, "time": "10:00", "weekdays": "0,1,2"}
    found = await practice.admin.get(f"{API}/availability/patterns", params=asked)
    assert found.json()["patterns"][0]["free_count"] == 2


async def test_a_pattern_counts_its_own_dates(practice: Practice) -> None:
    await payer(practice, "sun", cap_policy="deny", unit_caps=[])
    await authorize(practice, "by sun", "sun", caps=[{"units": 8, "per": "week"}])
    asked: dict[str, Any] = {
        "clinic_id": practice.made["clinic"], "service_id": practice.made["funded"], "patient_id": practice.made["quin"],
        "start_date": str(monday()), "weeks": 2, "time": "10:00", "weekdays": "0,1,2",
    }  # fmt: skip
    found = await practice.admin.get(f"{API}/availability/patterns", params=asked)
    free = [each["is_free"] for each in found.json()["patterns"][0]["dates"]]
    assert free == [True, True, False, True, True, False]


@pytest.mark.parametrize("change", [("services", "funded", {"code": "97155"}), ("clinics", "clinic", {"time_zone": "Asia/Tokyo"})])  # fmt: skip
async def test_what_counts_otherwise_is_counted_anew(practice: Practice, change: Any) -> None:
    """A service gets another code, a clinic another zone: the counts are those of the visits as they are now."""
    await capped(practice, "deny", 40, service_codes=["97153", "97155"])
    visit = await therapy(practice, hour=17)
    await therapy(practice, 1, hour=9)
    noun, called, fields = change
    await practice.change(noun, called, **fields)
    assert sum((await counted(practice)).values()) == 8
    await practice.done(await practice.call(visit, "cancel"))
    assert sum((await counted(practice)).values()) == 4
