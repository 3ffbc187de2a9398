"""`/payers`: who pays, and by which rules units are counted."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from holdfast.api import nouns
from holdfast.api.fields import CapUnits, Code, Codes, Name, Search, Weekday
from holdfast.api.lists import Paged
from holdfast.commands.payers import PAYER

_Pair = Annotated[list[Code], Meta(min_length=2, max_length=2)]


class CodeCap(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """So many units of a code are paid for in one day of a patient."""

    code: Code
    units: CapUnits


def _known_caps() -> list[CodeCap]:
    """What payers commonly pay for of the codes of applied behaviour analysis (quarters of an hour)."""
    known = {
        "97151": 32, "97152": 16, "97153": 32, "97154": 18, "97155": 24, "97156": 16, "97157": 16, "97158": 16,
    }  # fmt: skip
    return [CodeCap(code=code, units=units) for code, units in known.items()]


class NewPayer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`over_units`: what becomes of a visit whose units are not all approved, or only applied for. deny: it is refused; warn: it
    is booked if the request has `acknowledge_unfunded`; allow: it is booked. `cap_policy` says the same of a visit beyond
    `unit_caps` or an authorization's `caps`, with `acknowledge_cap`; a week begins on `week_start`."""

    name: Name
    rounding: Literal["cpt_midpoint", "cms_8_minute", "full_units", "ceil"] = "cpt_midpoint"
    rounding_scope: Literal["session", "day"] = "session"
    concurrent_policy: Literal["deny", "nonbillable", "allow"] = "deny"
    concurrent_pairs: Annotated[list[_Pair], Meta(max_length=200)] = []
    over_units: Literal["deny", "warn", "allow"] = "deny"
    codes_needing_authorization: Codes = []
    week_start: Weekday = 0
    unit_caps: Annotated[list[CodeCap], Meta(max_length=200)] = msgspec.field(default_factory=_known_caps)
    cap_policy: Literal["deny", "warn", "allow"] = "warn"


class Payer(NewPayer, kw_only=True):
    id: str
    is_active: bool
    version: int
    created_at: str
    updated_at: str


class PayerQuery(Paged, kw_only=True):
    is_active: bool | None = None
    q: Search | None = None


SHAPES = nouns.Shapes(
    "/api/v1/payers", "payers", NewPayer, nouns.changes(NewPayer, "PayerChange"), Payer, PayerQuery,
    "places.read", "payers.write",
)  # fmt: skip

ROUTES = nouns.routes(PAYER, SHAPES)
