"""What pays for a line: an authorization, for all or a part of it, or nobody if the payer lets that be; and why not. One
function decides; counters are never touched here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from holdfast.errors import Reason
from holdfast.rules.facts import Authorization, Coverage, Line, Payer, Service


class Paid(NamedTuple):
    """How a line is paid for: `units` are held on the authorization, `unfunded` are asked for and on none. `payer_id`: whose
    rules hold for it."""

    authorization: Authorization | None = None
    units: int = 0
    unfunded: int = 0
    payer_id: str | None = None
    billable: bool = True

    @property
    def funding(self) -> Literal["pending", "unfunded"] | None:
        """What its units wait for: an authorization, or the approval of theirs."""
        if self.unfunded:
            return "unfunded"
        if self.authorization is not None and self.authorization.approval == "pending":
            return "pending"
        return None


NOTHING_TO_PAY: Final = Paid()
NOT_BILLED: Final = Paid(billable=False)

ACKNOWLEDGE: Final = "acknowledge_unfunded"
"""What a request says to book without approved units where the payer's `over_units` is warn."""


class _Offer(NamedTuple):
    """An authorization that would do; `needs_word`: only if the request says so."""

    authorization: Authorization
    unfunded: int
    needs_word: bool


def pay(
    authorizations: Iterable[Authorization],
    service: Service,
    on: date,
    units: int,
    payers: Mapping[str, Payer],
    *,
    wanted: str | None = None,
    coverages: Sequence[Coverage] = (),
    is_acknowledged: bool = False,
) -> Paid | Reason:
    """What pays for `units` of a service on a local date of service, or why nothing does.

    `wanted` names the authorization that must be taken. Otherwise it is the one that leaves least unfunded, and of several
    the first in `order`, the patient being covered by `coverages`. One that is approved and has enough always does; what
    else does is its payer's word (`over_units`): pending ones and those that have too few units. If none is valid that day,
    it is the word of the payer who is asked first (of the named one's), and all is unfunded. The reason given is that of the nearest miss.
    """
    candidates = list(authorizations)
    if wanted is not None:
        candidates = [each for each in candidates if each.id == wanted]
        if not candidates:
            return Reason("authorization_mismatch", "The authorization is another patient's.")
        against = fault(candidates[0], service, on, units)
        if against is not None and against.code == "authorization_mismatch":
            return against
    candidates = [each for each in candidates if service.code in each.service_codes]
    offers = [offer for each in candidates if (offer := _offer(each, service, on, units, payers)) is not None]
    ranks = ranked(coverages, on)
    usable = [each for each in offers if is_acknowledged or not each.needs_word]
    if usable:
        best = min(usable, key=lambda o: (o.unfunded, o.needs_word, order(o.authorization, ranks)))
        held = units - best.unfunded
        return Paid(best.authorization, held, best.unfunded, best.authorization.payer_id)
    missed, nearest = _nearest(candidates, service, on, units)
    if offers:
        return acknowledgeable(missed, ACKNOWLEDGE)
    payer = nearest
    if ranks and wanted is None:
        payer = min(ranks, key=lambda each: (ranks[each], each))
    word = _word(payers, payer)
    if word == "allow" or (word == "warn" and is_acknowledged):
        return Paid(None, 0, units, payer)
    return acknowledgeable(missed, ACKNOWLEDGE) if word == "warn" else missed


def _word(payers: Mapping[str, Payer], payer_id: str | None) -> Literal["deny", "warn", "allow"]:
    payer = payers.get(payer_id or "")
    return "deny" if payer is None else payer.over_units


def _offer(
    authorization: Authorization, service: Service, on: date, units: int, payers: Mapping[str, Payer]
) -> _Offer | None:
    if fault(authorization, service, on, units) is None:
        return _Offer(authorization, 0, needs_word=False)
    word = _word(payers, authorization.payer_id)
    is_valid = (
        authorization.approval != "cancelled"
        and authorization.start_date <= on <= authorization.end_date
        and authorization.unit_basis == service.unit_basis
    )
    if word == "deny" or not is_valid:
        return None
    return _Offer(authorization, max(0, units - authorization.available_units), needs_word=word == "warn")


def _nearest(
    coded: Iterable[Authorization], service: Service, on: date, units: int
) -> tuple[Reason, str | None]:
    """The reason of the nearest miss, and whose authorization it was."""
    missed = [(each, reason) for each in coded if (reason := fault(each, service, on, units)) is not None]
    if not missed:
        why = f"{service.code} needs an authorization and the patient has none for it."
        return Reason("authorization_missing", why), None
    nearest = max(missed, key=lambda m: (_NEARNESS.index(m[1].code), m[0].available_units, m[0].id))
    return nearest[1], nearest[0].payer_id


def acknowledgeable(reason: Reason, field: str) -> Reason:
    """The reason, with the field by which a request says that it shall be so all the same."""
    return Reason(
        reason.code,
        f"{reason.detail} It can be booked all the same with {field}.",
        reason.members | {"may_acknowledge": True, "acknowledge": field},
    )


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


def fundable(line: Line, authorization: Authorization, service: Service, on: date, most: int | None) -> int:
    """How many units a line that lacks some gets from an approved authorization, of which `most` may be taken: as many as
    there are. One that holds units of another authorization changes over for all of them or not at all."""
    if not line.unfunded_units or not line.billable or fault(authorization, service, on, 0) is not None:
        return 0
    there = authorization.available_units if most is None else min(most, authorization.available_units)
    if not line.units_reserved or line.authorization_id == authorization.id:
        return min(line.unfunded_units, there)
    needed = line.units_reserved + line.unfunded_units
    return needed if needed <= there else 0


_RANK_OF_NONE = 1_000
_NEARNESS = (
    "authorization_mismatch",
    "authorization_expired",
    "authorization_inactive",
    "insufficient_units",
)


def fault(authorization: Authorization, service: Service, on: date, units: int) -> Reason | None:
    """Why this authorization does not cover it; None if it does. Both of its dates are among those that it covers."""
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
