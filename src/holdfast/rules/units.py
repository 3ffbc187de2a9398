"""Which authorization pays for a line, and why none does. One function decides; counters are never touched here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from holdfast.errors import Reason
from holdfast.rules.facts import Authorization, Coverage, Payer, Service


def choose(
    authorizations: Iterable[Authorization],
    service: Service,
    on: date,
    units: int,
    wanted: str | None = None,
    coverages: Sequence[Coverage] = (),
) -> Authorization | Reason:
    """The authorization that covers `units` of a service on a local date of service, or why there is none.

    `wanted` names the one that must be taken. Otherwise it is the first in `order` that suffices, the patient being
    covered by `coverages`. The reason given is that of the nearest miss.
    """
    known = list(authorizations)
    if wanted is not None:
        named = next((each for each in known if each.id == wanted), None)
        if named is None:
            return Reason("authorization_mismatch", "The authorization is another patient's.")
        return fault(named, service, on, units) or named
    coded = [each for each in known if service.code in each.service_codes]
    if not coded:
        return Reason(
            "authorization_missing", f"{service.code} needs an authorization and the patient has none for it."
        )
    faults = [(each, fault(each, service, on, units)) for each in coded]
    good = [each for each, reason in faults if reason is None]
    if good:
        ranks = ranked(coverages, on)
        return min(good, key=lambda each: order(each, ranks))
    misses = [(each, reason) for each, reason in faults if reason is not None]
    nearest = max(misses, key=lambda m: (_NEARNESS.index(m[1].code), m[0].available_units, m[0].id))
    return nearest[1]


def order(authorization: Authorization, ranks: Mapping[str, int]) -> tuple[int, bool, date, int, str]:
    """By what authorizations that suffice are asked, least first: the rank of their payer (who covers nothing that day
    comes last), approved before pending, earliest end, fewest units left, id (practice.md, Units)."""
    return (
        ranks.get(authorization.payer_id, _RANK_OF_NONE),
        authorization.approval != "approved",
        authorization.end_date,
        authorization.available_units,
        authorization.id,
    )


def ranked(coverages: Iterable[Coverage], on: date) -> dict[str, int]:
    """The rank of each payer who covers the patient on a local date; 1 is asked first."""
    ranks: dict[str, int] = {}
    for each in coverages:
        if (each.valid_from or on) <= on <= (each.valid_to or on):
            ranks[each.payer_id] = min(each.rank, ranks.get(each.payer_id, each.rank))
    return ranks


def is_required(
    service: Service, coverages: Sequence[Coverage], payers: Mapping[str, Payer], on: date
) -> bool:
    """Whether a service needs an authorization on a local date: it says so, or the payer who is asked first does for
    its code. A patient without coverage pays for themselves."""
    if service.authorization_required or not coverages:
        return service.authorization_required
    ranks = ranked(coverages, on)
    first = payers.get(min(ranks, key=lambda payer: (ranks[payer], payer))) if ranks else None
    return first is not None and service.code in first.codes_needing_authorization


_RANK_OF_NONE = 1_000
_NEARNESS = (
    "authorization_mismatch",
    "authorization_expired",
    "authorization_inactive",
    "insufficient_units",
)


def fault(authorization: Authorization, service: Service, on: date, units: int) -> Reason | None:
    """Why this authorization does not cover it; None if it does."""
    if service.code not in authorization.service_codes or service.unit_basis != authorization.unit_basis:
        return Reason(
            "authorization_mismatch",
            f"The authorization is for {', '.join(sorted(authorization.service_codes))} "
            f"by {authorization.unit_basis}, not {service.code} by {service.unit_basis}.",
            {"authorization_id": authorization.id},
        )
    return unusable(authorization, on) or short(authorization, units)


def fault_by_hand(authorization: Authorization, kind: str, on: date, units: int) -> Reason | None:
    """Why units cannot be reserved, released or consumed by hand on a local date; None if they can. Only the balance that was
    reserved by hand is given back or used, never what visits hold; and it can be given back whatever has become of
    the authorization."""
    if kind != "release" and (reason := unusable(authorization, on)) is not None:
        return reason
    if kind == "reserve":
        return short(authorization, units)
    if authorization.manual_units < units:
        return Reason(
            "units_not_reserved",
            f"{authorization.manual_units} units are reserved by hand; {units} are asked for.",
            {"reserved": authorization.manual_units, "requested": units},
        )
    return None


class Held(NamedTuple):
    """Units that a line of a visit holds; `on` is its local date of service."""

    appointment_id: str
    line_no: int
    on: date
    code: str
    units: int


def stranded(authorization: Authorization, held: Iterable[Held]) -> list[tuple[Held, Reason]]:
    """The lines that an authorization as it shall be would not cover any more, and why. `held` comes by time: where
    units do not suffice for all, those who come last go without."""
    found: list[tuple[Held, Reason]] = []
    left = authorization.total_units - authorization.used_units - authorization.manual_units
    for each in held:
        reason = _outside(authorization, each.on)
        if authorization.approval == "cancelled":
            reason = Reason("authorization_inactive", "The authorization is cancelled.")
        elif each.code not in authorization.service_codes:
            reason = Reason(
                "authorization_mismatch",
                f"The authorization is for {', '.join(sorted(authorization.service_codes))}, not {each.code}.",
            )
        elif reason is None and each.units > left:
            reason = Reason(
                "insufficient_units", f"{max(left, 0)} units are left for it, and it holds {each.units}."
            )
        if reason is None:
            left -= each.units
        else:
            found.append((each, reason))
    return found


def status(authorization: Authorization, today: date) -> str:
    """What follows from what a person decided, then from the date, then from the counters."""
    if authorization.approval != "approved":
        return authorization.approval
    if authorization.end_date < today:
        return "expired"
    return "exhausted" if authorization.used_units == authorization.total_units else "active"


def unusable(authorization: Authorization, on: date) -> Reason | None:
    """Why nothing is to be had of it on a local date of service, however much is left. Both its dates are inside."""
    if authorization.approval != "approved":
        return Reason(
            "authorization_inactive",
            f"The authorization is {authorization.approval}.",
            {"authorization_id": authorization.id, "approval": authorization.approval},
        )
    return _outside(authorization, on)


def _outside(authorization: Authorization, on: date) -> Reason | None:
    if authorization.start_date <= on <= authorization.end_date:
        return None
    return Reason(
        "authorization_expired",
        f"The authorization covers {authorization.start_date} to {authorization.end_date}, not {on}.",
        {"authorization_id": authorization.id},
    )


def short(authorization: Authorization, units: int) -> Reason | None:
    """Why there are not that many units left; None if there are."""
    if authorization.available_units < units:
        return Reason(
            "insufficient_units",
            f"The authorization has {authorization.available_units} units left; {units} are needed.",
            {
                "authorization_id": authorization.id,
                "available": authorization.available_units,
                "requested": units,
                "version": authorization.version,
            },
        )
    return None
