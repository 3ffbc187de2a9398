"""How many units a payer pays for in a day or a week, and whether a line would go beyond. The counts are facts; they are
never changed here.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from holdfast.errors import Reason
from holdfast.rules.facts import Authorization, Counted, DatesOf, Payer, UnitCap
from holdfast.rules.units import acknowledgeable

ACKNOWLEDGE: Final = "acknowledge_cap"
"""What a request says to go beyond a cap where the payer's `cap_policy` is warn."""

Taken = tuple[str, str, int]
"""Payer, code and units of a line that was decided on before, of the same visit."""

_REACH = timedelta(days=6)


def around(dates: DatesOf) -> DatesOf:
    """Every date of the weeks, whatever day they begin on, in which these dates lie."""
    patient_id, first, last = dates
    return patient_id, first - _REACH, last + _REACH


def fault(
    counted: Sequence[Counted],
    taken: Sequence[Taken],
    authorization: Authorization,
    payer: Payer,
    code: str,
    on: date,
    units: int,
    *,
    is_acknowledged: bool,
) -> Reason | None:
    """Why units of a code may not be held on a local date beside what is counted; None if they may. What a visit had
    before it is decided on anew is not held against it."""
    if not units or payer.cap_policy == "allow" or (payer.cap_policy == "warn" and is_acknowledged):
        return None
    for cap in _caps(authorization, payer, code):
        others, stood = _standing(counted, cap, authorization, payer, on)
        own = units + _own(taken, cap, authorization, payer)
        if others + own > cap.units and own > stood:
            return _exceeded(cap, payer, others + own - units, units, authorization)
    return None


def left(
    counted: Sequence[Counted],
    taken: Sequence[Taken],
    authorization: Authorization,
    payer: Payer,
    code: str,
    on: date,
) -> int | None:
    """How many more units of a code a payer who denies what is beyond pays for on a local date; None: no cap says."""
    if payer.cap_policy != "deny":
        return None
    found = None
    for cap in _caps(authorization, payer, code):
        others, _ = _standing(counted, cap, authorization, payer, on)
        rest = max(0, cap.units - others - _own(taken, cap, authorization, payer))
        found = rest if found is None else min(found, rest)
    return found


def _caps(authorization: Authorization, payer: Payer, code: str) -> Iterator[UnitCap]:
    """The payer's own caps first."""
    return (each for each in (*payer.unit_caps, *authorization.caps) if each.code in (None, code))


def _codes(cap: UnitCap, authorization: Authorization) -> Collection[str]:
    return authorization.service_codes if cap.code is None else (cap.code,)


def _own(taken: Sequence[Taken], cap: UnitCap, authorization: Authorization, payer: Payer) -> int:
    codes = _codes(cap, authorization)
    return sum(units for payer_id, code, units in taken if payer_id == payer.id and code in codes)


def _standing(
    counted: Sequence[Counted], cap: UnitCap, authorization: Authorization, payer: Payer, on: date
) -> tuple[int, int]:
    """What is counted of a cap in the day or week of a date, and what was before the visit was lifted, of that visit."""
    codes = _codes(cap, authorization)
    first = last = on
    if cap.per == "week":
        first = on - timedelta(days=(on.weekday() - payer.week_start) % 7)
        last = first + _REACH
    mine = [
        each
        for each in counted
        if first <= each.on <= last and each.payer_id == payer.id and each.code in codes
    ]
    return sum(each.units for each in mine), sum(each.lifted for each in mine)


def _exceeded(cap: UnitCap, payer: Payer, counted: int, units: int, authorization: Authorization) -> Reason:
    what = cap.code or "all of " + ", ".join(sorted(authorization.service_codes))
    why = f"{payer.name} pays for {cap.units} units of {what} a {cap.per}; {counted} are counted and {units} are asked for."
    members = {
        "cap": cap.units, "per": cap.per, "counted": counted, "requested": units, "service_code": cap.code,
        "payer_id": payer.id,
    }  # fmt: skip
    reason = Reason("cap_exceeded", why, members)
    return acknowledgeable(reason, ACKNOWLEDGE) if payer.cap_policy == "warn" else reason
