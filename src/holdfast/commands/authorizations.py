"""An authorization: what a payer approved for a patient. Its counters begin at nothing; bookings move them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec

from holdfast.actor import Answered, Asked
from holdfast.commands import payers
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.commands.save import Document, Noun, add, answered
from holdfast.errors import FieldError
from holdfast.rules import units
from holdfast.rules.facts import Authorization, Constraints, Coverage, Payer, Service

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


async def authorize(house: House, asked: Asked, fields: Document, new_payer: Document | None) -> Answered:
    """A new authorization. `new_payer`, when given, names the payer, which is made if there is none of that name."""

    async def work(turn: Turn) -> Answered:
        payer = {}
        if new_payer is not None:
            payer["payer_id"] = await payers.matched(turn, asked, new_payer["name"], new_payer)
        return answered(201, await add(turn, asked, AUTHORIZATION, fields | payer))

    return await change(house, asked, work)


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
