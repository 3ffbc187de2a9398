"""Visits get units that were booked without: from an authorization that has come since, or because the one they were booked
against is approved. Which line gets how many is `rules/units.py`; here it is read, put down and told.
"""

import msgspec

from holdfast.actor import Answered, Asked
from holdfast.commands.bodies import visit_body
from holdfast.commands.change import Turn, change
from holdfast.commands.desk import Desk
from holdfast.commands.gather import Need
from holdfast.commands.house import House
from holdfast.commands.intent import copied
from holdfast.commands.save import Document, answered
from holdfast.commands.turn_desk import turn_desk
from holdfast.db.statements import statement
from holdfast.errors import NotFound, Refused
from holdfast.rules import caps
from holdfast.rules.facts import Authorization, Line, Visit
from holdfast.rules.units import fundable
from holdfast.slot import local_date, moment, rfc3339

EVENT = "appointment.funded"


async def fund(house: House, asked: Asked, authorization_id: str, series_id: str | None) -> Answered:
    """Gives units to all lines of the patient's visits to come that an authorization could pay for and that lack some, the
    earliest first, as far as its units go; `series_id`: to those of one series. Without such a line nothing happens.

    Raises NotFound; Refused (authorization_inactive, version_mismatch).
    """

    async def work(turn: Turn) -> Answered:
        most = house.settings.fund_visits_max
        rows = await turn.connection.fetch(
            statement("unfunded_visits"), turn.organization, authorization_id, moment(turn.now), series_id, most + 1
        )  # fmt: skip
        if series_id is not None and not await turn.connection.fetchval(
            statement("patient_has_series"), turn.organization, authorization_id, series_id
        ):
            raise NotFound("series_id")
        need = Need(visits={str(row["id"]) for row in rows[:most]}, authorizations={authorization_id})
        desk = await turn_desk(house, turn, need)
        authorization = _checked(desk, asked, authorization_id)
        funded: list[Document] = []
        for row in rows[:most]:
            visit = desk.stored(str(row["id"]))
            if visit is not None:
                funded += _funded(desk, asked, visit, authorization)
        return answered(200, _body(authorization) | {"funded": funded, "truncated": len(rows) > most})

    return await change(house, asked, work)


def _checked(desk: Desk, asked: Asked, authorization_id: str) -> Authorization:
    authorization = next((each for each in desk.authorizations if each.id == authorization_id), None)
    if authorization is None:
        raise NotFound("id")
    if asked.if_match not in {None, authorization.version}:
        raise Refused(
            "version_mismatch", f"This is version {authorization.version} by now.", version=authorization.version
        )  # fmt: skip
    if authorization.approval != "approved":
        why = f"The authorization is {authorization.approval}."
        raise Refused("authorization_inactive", why, **_body(authorization))
    return authorization


def _body(authorization: Authorization) -> Document:
    names = ("total_units", "used_units", "scheduled_units", "manual_units", "available_units", "version")
    return {"authorization_id": authorization.id} | {name: getattr(authorization, name) for name in names}


def _funded(desk: Desk, asked: Asked, before: Visit, authorization: Authorization) -> list[Document]:
    """Puts the visit down with what its lines get; what one takes, the next does not find."""
    directory, visit = desk.directory, copied(before)
    payer = directory.payers[authorization.payer_id]
    on = local_date(visit.start, directory.clinics[visit.clinic_id].time_zone)
    counted = desk.patient(visit.patient_id).counted
    spare = msgspec.structs.replace(authorization)
    taken: list[caps.Taken] = []
    got: list[tuple[Line, int]] = []
    for line in visit.lines:
        service = directory.services[line.service_id]
        most = caps.left(counted, taken, authorization, payer, service.code, on)
        units = fundable(line, spare, service, on, most)
        if units:
            _give(line, authorization.id, units)
            spare.scheduled_units += units
            taken.append((payer.id, service.code, units))
            got.append((line, units))
    if got:
        desk.put(asked, EVENT, visit, before)
    return [
        {
            "appointment_id": visit.id, "line_no": line.line_no, "start": rfc3339(line.start), "units": units,
            "unfunded_units": line.unfunded_units, "version": visit.version,
        }
        for line, units in got
    ]  # fmt: skip


def _give(line: Line, authorization_id: str, units: int) -> None:
    needed = line.units_reserved + line.unfunded_units
    kept = line.units_reserved if line.authorization_id == authorization_id else 0
    line.authorization_id, line.units_reserved = authorization_id, kept + units
    line.unfunded_units = needed - line.units_reserved
    line.funding = "unfunded" if line.unfunded_units else None


async def approved(turn: Turn, asked: Asked, authorization_id: str) -> None:
    """What was booked against a pending authorization does not wait any more, now that it is approved: told visit by visit,
    in the turn in which it is approved. Its units stay where they are."""
    rows = await turn.connection.fetch(
        statement("pending_lines_approved"), turn.organization, authorization_id, moment(turn.now)
    )
    found = [row["id"] for row in rows]
    documents = await turn.connection.fetch(statement("visit_documents"), turn.organization, found)
    visits = [msgspec.json.decode(row["document"], type=Visit) for row in documents]
    for visit in sorted(visits, key=lambda each: (each.start, each.id)):
        turn.tell(EVENT, visit_body(visit))
        turn.note(asked, EVENT.partition(".")[2], "appointment", visit.id, version=visit.version)
