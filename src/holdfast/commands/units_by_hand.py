"""Units that somebody reserves, releases or consumes by hand. They travel in the lane with the visits that take units of the
same authorizations; any number of requests about one authorization are decided one after the other in one batch.

Only the balance that was reserved by hand is released or consumed. What visits hold goes back when they are cancelled
and is used when their notes are signed.
"""

from datetime import date
from typing import Literal

import msgspec

from holdfast.actor import Asked
from holdfast.commands.bodies import authorization_document
from holdfast.commands.desk import Desk, View
from holdfast.commands.intent import BOOKINGS, RELEASES, Errand, Intent
from holdfast.commands.ledger_kept import Entry
from holdfast.errors import Refused
from holdfast.rules.facts import Authorization
from holdfast.rules.units import fault_by_hand
from holdfast.slot import local_date

Kind = Literal["reserve", "release", "consume"]


class ByHand(Errand, kw_only=True):
    """`on`: the local date of service; today in the organization's time zone when there is none.

    `of_reserved`: how many were reserved for what is consumed now; those that are not needed are released with it. Without
    it they stay reserved: nobody else's reservation is touched, since the balance does not say whose it is.
    """

    id: str
    kind: Kind
    units: int
    on: date | None = None
    note: str | None = None
    of_reserved: int | None = None

    @property
    def rank(self) -> int:
        return BOOKINGS if self.kind == "reserve" else RELEASES

    @property
    def parts(self) -> tuple[Intent, ...]:
        return ()

    @property
    def authorization_ids(self) -> tuple[str, ...]:
        return (self.id,)

    @property
    def status(self) -> int:
        return 200

    def carry_out(self, desk: Desk, asked: Asked, view: View) -> tuple[bytes, int | None]:
        authorization, directory = desk.authorization(asked, self.id), desk.directory
        today = local_date(desk.now, directory.organization.time_zone)
        on, reserved = self.on or today, self.of_reserved or self.units
        reason = fault_by_hand(authorization, self.kind, on, reserved)
        if reason is not None:
            members = {"available": authorization.available_units, "requested": reserved}
            raise Refused(reason.code, reason.detail, **(members | reason.members | counters(authorization)))
        _enter(desk, asked, authorization, self.kind, self.units, self.note)
        if reserved > self.units:
            _enter(desk, asked, authorization, "release", reserved - self.units)
        desk.keeping.note(
            asked, f"{self.kind}d", "authorization", authorization.id, units=self.units,
            released=reserved - self.units, date=on,
            version=authorization.version,
        )  # fmt: skip
        payer = directory.payers[authorization.payer_id].name
        shown = authorization_document(authorization, payer, today, desk.now)
        return msgspec.json.encode(shown), authorization.version


def _enter(
    desk: Desk, asked: Asked, authorization: Authorization, kind: Kind, units: int, note: str | None = None
) -> None:
    sealed = None
    if note:
        context = note_context(authorization.id, authorization.version + 1)
        sealed = desk.keeping.seal.seal(note.encode(), context)
    desk.enter(asked, Entry(None, kind, authorization.id, units), note_encrypted=sealed)


def note_context(authorization_id: str, entry_no: int) -> str:
    return f"authorization_entries.note/{authorization_id}/{entry_no}"


def counters(authorization: Authorization) -> dict[str, int | str]:
    """What a refusal tells of the authorization it is about, so that the next try need not ask."""
    return {
        "authorization_id": authorization.id, "version": authorization.version,
        "total_units": authorization.total_units, "used_units": authorization.used_units,
        "scheduled_units": authorization.scheduled_units, "manual_units": authorization.manual_units,
        "available_units": authorization.available_units,
    }  # fmt: skip
