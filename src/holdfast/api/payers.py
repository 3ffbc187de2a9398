"""`/payers`: who pays, and by which rules units are counted."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from holdfast.api import nouns
from holdfast.api.fields import Code, Codes, Name, Search, Weekday
from holdfast.api.lists import Paged
from holdfast.commands.payers import PAYER

_Pair = Annotated[list[Code], Meta(min_length=2, max_length=2)]


class NewPayer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: Name
    rounding: Literal["cpt_midpoint", "cms_8_minute", "full_units", "ceil"] = "cpt_midpoint"
    rounding_scope: Literal["session", "day"] = "session"
    concurrent_policy: Literal["deny", "nonbillable", "allow"] = "deny"
    concurrent_pairs: Annotated[list[_Pair], Meta(max_length=200)] = []
    over_units: Literal["deny", "warn", "allow"] = "deny"
    codes_needing_authorization: Codes = []
    week_start: Weekday = 0


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
