"""What a policy would do to the visits of some days if it were in force: read in one snapshot, tried in memory, and nothing
is changed.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from holdfast.actor import Asked
from holdfast.commands.gather import Need
from holdfast.commands.house import House
from holdfast.commands.policies import POLICY, checked
from holdfast.commands.reading import Snapshot, snapshot
from holdfast.commands.save import Document, read
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound
from holdfast.rules.assess import spans
from holdfast.rules.dry_run import Outcome, dry_run
from holdfast.rules.facts import (
    Clinic,
    Directory,
    DirectoryDocument,
    Past,
    Patient,
    PolicyDocument,
    SpanOf,
    Visit,
)
from holdfast.rules.policy.policy import in_force
from holdfast.rules.rooms import RoomChoice
from holdfast.slot import day_span, moment, rfc3339


async def tried(
    house: House, asked: Asked, policy_id: str, first: date, last: date, clinic_id: str | None
) -> tuple[Document, int]:
    """What changes, visit by visit, with counts, and the seq that it is true at. Dates are each clinic's own, inclusive.

    Without a clinic all are looked at, or the policy's own. Raises NotFound; Invalid when there are too many visits.
    """
    organization = asked.actor.organization_id
    async with snapshot(house, organization) as reading:
        seal = await house.seal(reading.connection, organization)
        policy, _ = await read(reading.connection, organization, POLICY, seal, policy_id)
        checked(asked, policy)
        directory, draft = await _directories(reading, organization, policy)
        if clinic_id is None and policy["scope"] == "clinic":
            clinic_id = policy["scope_id"]
        clinics = [each for each in directory.clinics.values() if clinic_id in (None, each.id)]
        if clinic_id is not None and not clinics:
            raise NotFound("clinic_id")
        concerned = await _concerned(house, reading, organization, clinics, first, last)

        def wide(_directory: Directory | None, visits: dict[str, Visit], _now: int) -> list[SpanOf]:
            found = (
                spans(by, visits[each]) for by in (directory, draft) for each in concerned if each in visits
            )
            return list({each for spans_of_visit in found for each in spans_of_visit})

        seen = await reading.gather(Need(wide, visits=set(concerned)))
        patients = {each.id: each for each in seen.facts.patients or ()}
        if in_force(draft).asks_history and not in_force(directory).asks_history:
            patients = await _with_past(reading, organization, patients)
    outcomes = await asyncio.to_thread(
        dry_run, directory, draft, seen.timetable, seen.facts.appointments or (), patients
    )
    return _told(outcomes), seen.facts.seq


async def _directories(reading: Snapshot, organization: str, policy: Document) -> tuple[Directory, Directory]:
    """The directory as it is, and with the policy in force. Neither is anybody else's: they are read in another thread."""
    text = await reading.connection.fetchval(statement("directory"), organization)
    as_it_is = msgspec.json.decode(text, type=DirectoryDocument)
    scope = (policy["scope"], policy["scope_id"])
    own = PolicyDocument(policy["id"], *scope, policy["version"], policy["rules"])
    others = [each for each in as_it_is.policies if (each.scope, each.scope_id) != scope]
    drafted = msgspec.structs.replace(as_it_is, policies=[*others, own])
    return Directory(as_it_is), Directory(drafted)


async def _concerned(
    house: House, reading: Snapshot, organization: str, clinics: Iterable[Clinic], first: date, last: date
) -> list[str]:
    """The ids of the visits of these days, by each clinic's clock."""
    most = house.settings.dry_run_visits_max
    days = [
        (each.id, day_span(first, each.time_zone)[0], day_span(last, each.time_zone)[1]) for each in clinics
    ]
    rows = await reading.connection.fetch(
        statement("dry_run_visits"), organization, [clinic for clinic, _, _ in days],
        [moment(start) for _, start, _ in days], [moment(end) for _, _, end in days], most + 1,
    )  # fmt: skip
    if len(rows) > most:
        raise Invalid(
            FieldError("end_date", "invalid_value", f"there are more than {most} visits; ask for fewer days")
        )
    return [row["id"] for row in rows]


async def _with_past(
    reading: Snapshot, organization: str, patients: Mapping[str, Patient]
) -> dict[str, Patient]:
    rows = await reading.connection.fetch(statement("patients_past"), organization, list(patients))
    return {
        row["id"]: msgspec.structs.replace(
            patients[row["id"]], past=msgspec.json.decode(row["past"], type=tuple[Past, ...])
        )
        for row in rows
    }


def _told(outcomes: Iterable[Outcome]) -> Document:
    visits: list[Document] = []
    counts = dict.fromkeys(
        ("looked_at", "same", "moved", "with_room", "without_room", "against_rules", "score_gained"), 0
    )
    for each in outcomes:
        counts["looked_at"] += 1
        counts["against_rules"] += bool(each.against)
        if each.before is not None and each.after is not None:
            counts["score_gained"] += each.after.score - each.before.score
        if each.is_moved:
            what = "without_room" if each.after is None else "with_room" if each.before is None else "moved"
            counts[what] += 1
        if each.is_moved or each.against:
            visits.append(_visit(each))
        else:
            counts["same"] += 1
    return {
        "visits": sorted(visits, key=lambda each: (each["start"], each["appointment_id"])),
        "counts": counts,
    }


def _visit(outcome: Outcome) -> Document:
    return {
        "appointment_id": outcome.visit.id, "start": rfc3339(outcome.visit.start),
        **_side("before", outcome.before), **_side("after", outcome.after),
        "reasons": [*(each.reason for each in outcome.against), *outcome.reasons],
        "against": [{"rule": each.rule, "type": each.type, "reason": each.reason} for each in outcome.against],
    }  # fmt: skip


def _side(name: str, choice: RoomChoice | None) -> dict[str, Any]:
    return {
        f"room_id_{name}": None if choice is None else choice.room.id,
        f"score_{name}": None if choice is None else choice.score,
    }
