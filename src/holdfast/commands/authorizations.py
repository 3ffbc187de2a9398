"""An authorization: what a payer approved for a patient. Its counters begin at nothing; bookings move them, and what is
decided about it later never takes from a visit what it holds: then the change is refused and the visits are named.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

import asyncpg
import msgspec

from holdfast.actor import Answered, Asked
from holdfast.commands import fund, payers
from holdfast.commands.change import Turn, broken, change
from holdfast.commands.house import House
from holdfast.commands.save import Document, Noun, add, altered, answered, check_version
from holdfast.commands.units_by_hand import counters
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules import units
from holdfast.rules.facts import Authorization, Constraints, Coverage, Payer, Service
from holdfast.states import DECISIONS

_BASES = ("time", "visit", "day")


def _faults(authorization: Document) -> Iterator[FieldError]:
    if authorization["end_date"] < authorization["start_date"]:
        yield FieldError("end_date", "invalid_value", "must not be before start_date")
    codes = authorization["service_codes"]
    if len(set(codes)) < len(codes):
        yield FieldError("service_codes", "invalid_value", "names a code twice")
    for number, cap in enumerate(authorization["caps"]):
        if cap.get("code", codes[0]) not in codes:
            yield FieldError(f"caps[{number}].code", "invalid_value", "is none of service_codes")
    if len({(cap.get("code"), cap["per"]) for cap in authorization["caps"]}) < len(authorization["caps"]):
        yield FieldError("caps", "invalid_value", "names a code twice for the same time")


AUTHORIZATION = Noun(
    "authorization", "authorizations", faults=_faults, in_directory=False,
    private=frozenset({"authorization_number", "payer", "status"}),
)  # fmt: skip


class Wish(NamedTuple):
    """A new authorization. `new_payer`, when given, names the payer, which is made if there is none of that name."""

    fields: Document
    new_payer: Document | None = None


async def authorize(house: House, asked: Asked, wish: Wish) -> Answered:
    async def work(turn: Turn) -> Answered:
        return answered(201, await _add(turn, asked, wish))

    return await change(house, asked, work)


async def authorize_all(house: House, asked: Asked, wishes: Sequence[Wish], field: str) -> Answered:
    """All of them or none; whatever is wrong is named under `field`, what the request calls their list."""
    places = [f"{field}[{number}]." for number in range(len(wishes))]
    faults = [
        fault
        for place, wish in zip(places, wishes, strict=True)
        for fault in Invalid(*_faults(wish.fields)).under(place).errors
    ]
    if faults:
        raise Invalid(*faults)

    async def work(turn: Turn) -> Answered:
        made = []
        for place, wish in zip(places, wishes, strict=True):
            try:
                made.append(await _add(turn, asked, wish))
            except asyncpg.IntegrityConstraintViolationError as error:
                fault = broken(error)
                raise (fault.under(place) if isinstance(fault, (Invalid, NotFound)) else fault) from error
        return answered(201, {field: made})

    return await change(house, asked, work)


async def _add(turn: Turn, asked: Asked, wish: Wish) -> Document:
    payer = {}
    if wish.new_payer is not None:
        payer["payer_id"] = await payers.matched(turn, asked, wish.new_payer["name"], wish.new_payer)
    return await add(turn, asked, AUTHORIZATION, wish.fields | payer)


async def amend(house: House, asked: Asked, authorization_id: str, fields: Document) -> Answered:
    """Lays `fields` over it, if every visit that holds units of it may keep them.

    Raises NotFound, Invalid; Refused: version_mismatch, totals_below_committed, visits_stranded.
    """

    async def work(turn: Turn) -> Answered:
        check = partial(_keep_what_is_held, turn)
        amended = await altered(turn, asked, AUTHORIZATION, authorization_id, fields, check)
        return answered(200, amended | {"stranded": [], "would_be_refused": None})

    return await change(house, asked, work)


async def decide(
    house: House, asked: Asked, authorization_id: str, call: str, fields: Document | None = None
) -> Answered:
    """Approves or cancels it, and lays `fields` over it at once. Raises as `amend`, and Refused (illegal_transition)."""

    async def check(turn: Turn, before: Document, after: Document) -> None:
        allowed = DECISIONS[before["approval"]]
        if call not in allowed:
            raise Refused(
                "illegal_transition", f"What is {before['approval']} cannot be asked to {call}.",
                allowed=sorted(allowed), status_now=before["status"], **_counters(before),
            )  # fmt: skip
        await _keep_what_is_held(turn, before, after)

    async def work(turn: Turn) -> Answered:
        wanted = (fields or {}) | {"approval": DECISIONS["pending"][call]}
        decided = await altered(turn, asked, AUTHORIZATION, authorization_id, wanted, partial(check, turn))
        if call == "approve":
            await fund.approved(turn, asked, authorization_id)
        return answered(200, decided)

    return await change(house, asked, work)


async def preview(
    connection: Connection, organization: str, asked: Asked, before: Document, fields: Document
) -> Document:
    """The authorization as `amend` would make it, with `stranded`, whom it would leave without units, and
    `would_be_refused`, the code that `amend` would refuse it with. Raises Invalid; Refused (version_mismatch)."""
    check_version(asked, before)
    after = before | fields
    _check_sound(after)
    after["available_units"] = after["total_units"] - after["used_units"] - after["scheduled_units"]
    after["status"] = units.status(_fact(after), await connection.fetchval(statement("today"), organization))
    left_out = await _stranded(connection, organization, before, after)
    refused = _refusal(before, after, left_out)
    return after | {"stranded": left_out, "would_be_refused": refused.code if refused else None}


async def _keep_what_is_held(turn: Turn, before: Document, after: Document) -> None:
    """Raises Refused if visits would be left without units that they hold, or more is committed than the new total; Invalid."""
    _check_sound(after)
    left_out = await _stranded(turn.connection, turn.organization, before, after)
    refused = _refusal(before, after, left_out)
    if refused is not None:
        raise refused


def _refusal(before: Document, after: Document, left_out: list[Document]) -> Refused | None:
    committed = before["used_units"] + before["scheduled_units"]
    if after["total_units"] < committed:
        return Refused(
            "totals_below_committed", f"{committed} units are used or promised; {after['total_units']} cannot hold them.",
            committed=committed, requested=after["total_units"], stranded=left_out, **_counters(before),
        )  # fmt: skip
    if left_out:
        which = "A visit holds" if len(left_out) == 1 else f"{len(left_out)} lines of visits hold"
        why = f"{which} units of it that it would not cover any more: move or cancel what is named first."
        return Refused("visits_stranded", why, stranded=left_out, **_counters(before))
    return None


def _check_sound(document: Document) -> None:
    """Whom a change would strand is asked of a document that can be. Raises Invalid."""
    faults = tuple(_faults(document))
    if faults:
        raise Invalid(*faults)


async def _stranded(
    connection: Connection, organization: str, before: Document, after: Document
) -> list[Document]:
    """The lines that would not be covered any more. What is not covered as it is stands in no change's way."""
    rows = await connection.fetch(statement("authorization_held"), organization, after["id"])
    held = [units.Held(*tuple(row)[:5]) for row in rows]
    shown = {(row["appointment_id"], row["line_no"]): row for row in rows}
    already = {line for line, _ in units.stranded(_fact(before), held)}
    found = []
    for line, reason in units.stranded(_fact(after), held):
        if line in already:
            continue
        row = shown[line.appointment_id, line.line_no]
        found.append({
            "appointment_id": line.appointment_id, "line_no": line.line_no, "date": str(line.on), "start": row["start"],
            "status": row["status"], "units_reserved": line.units, "code": reason.code, "detail": reason.detail,
        })  # fmt: skip
    return found


def _counters(document: Document) -> Document:
    """What a refusal tells of the authorization, as those of units by hand do."""
    return counters(_fact(document))


def would_book(
    candidates: Sequence[Document],
    coverages: Sequence[Coverage],
    code: str,
    bases: Sequence[str],
    on: date,
    payers: Mapping[str, Payer],
) -> Document | None:
    """The one of a patient's authorizations that booking one unit of a service code would use on a local date, nothing being
    acknowledged.

    `bases`: how the services of that code count units; of a code that no service has, any way of counting will do.
    """
    by_id = {each["id"]: each for each in candidates}
    known = [_fact(each) for each in candidates]
    found = [
        units.pay(known, _service(code, basis), on, 1, payers, coverages=coverages)
        for basis in bases or _BASES
    ]
    whole = [each.authorization for each in found if isinstance(each, units.Paid) and not each.unfunded]
    good = [each for each in whole if each is not None]
    if not good:
        return None
    ranks = units.ranked(coverages, on)
    return by_id[min(good, key=lambda each: units.order(each, ranks)).id]


def covering(stored: str | None) -> tuple[Coverage, ...]:
    """A patient's coverages as storage has them for bookings."""
    return msgspec.json.decode(stored, type=Constraints).coverages if stored else ()


def _fact(document: Document) -> Authorization:
    fields = ("id", "patient_id", "payer_id", "unit_basis", "total_units", "used_units", "scheduled_units",
              "manual_units", "approval", "version")  # fmt: skip
    return Authorization(
        **{name: document[name] for name in fields},
        service_codes=frozenset(document["service_codes"]),
        start_date=date.fromisoformat(document["start_date"]),
        end_date=date.fromisoformat(document["end_date"]),
    )


def _service(code: str, basis: str) -> Service:
    nothing: frozenset[str] = frozenset()
    return Service(
        id="", name="", code=code, duration_minutes=0, locations=(), attendance="patient", room_types=nothing,
        equipment=nothing, capacity=1, required_credentials=nothing, turnover_minutes=None, unit_basis=basis,
        unit_minutes=1, authorization_required=True, is_active=True,
    )  # fmt: skip
