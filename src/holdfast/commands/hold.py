"""Hold a time for a booking that is being made: what it would claim is claimed until the booking comes or the hold
expires. Units are looked at, and taken by the booking alone.
"""

import msgspec

from holdfast import ids
from holdfast.actor import Asked
from holdfast.commands.book import Book
from holdfast.commands.desk import Desk
from holdfast.commands.intent import BOOKINGS, RELEASES, Intent, Placing
from holdfast.rules.assess import Wish
from holdfast.rules.facts import DatesOf, Directory, Hold, SpanOf, Visit


class PlaceHold(Placing, kw_only=True):
    """The time that `booking` asks for, kept for `ttl_seconds`."""

    booking: Book
    ttl_seconds: int

    @property
    def rank(self) -> int:
        return BOOKINGS

    @property
    def patient_id(self) -> str | None:
        return self.booking.patient_id

    @property
    def authorization_ids(self) -> tuple[str, ...]:
        return self.booking.authorization_ids

    @property
    def caregiver_ids(self) -> tuple[str, ...]:
        return self.booking.caregiver_ids

    @property
    def other_visit_ids(self) -> tuple[str, ...]:
        return self.booking.other_visit_ids

    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        return self.booking.wished(directory, before, now)

    def dates(self, directory: Directory, before: Visit | None, now: int) -> list[DatesOf]:
        return self.booking.dates(directory, before, now)

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        return self.booking.wish(directory, visit, before)

    def decide(self, desk: Desk, asked: Asked) -> Hold:
        visit, verdict, _, _ = self.booking.judged(desk, asked)
        hold = Hold(
            id=ids.new(), clinic_id=visit.clinic_id, patient_id=visit.patient_id, location=visit.location,
            room_id=verdict.room.room.id if verdict.room else None, start=visit.start, end=visit.end, status="held",
            turnover_minutes=verdict.room.turnover_minutes if verdict.room else 0,
            lines=[msgspec.structs.replace(line, authorization_id=None) for line in visit.lines],
            expires_at=desk.now + self.ttl_seconds, patient_name=visit.patient_name,
        )  # fmt: skip
        desk.put_hold(asked, hold, desk.claims_for(hold, verdict))
        return hold


class ReleaseHold(Intent, kw_only=True):
    """Gives a hold's time back before it expires."""

    id: str

    @property
    def rank(self) -> int:
        return RELEASES

    @property
    def hold_id(self) -> str | None:
        return self.id

    @property
    def status(self) -> int:
        return 204

    def spans(self, directory: Directory, before: Visit | None, now: int) -> list[SpanOf]:
        return []

    def decide(self, desk: Desk, asked: Asked) -> Hold:
        hold = desk.hold(asked, self.id, "id")
        desk.release(hold, "released")
        desk.keeping.note(asked, "released", "hold", hold.id)
        return hold
