"""Book a series: a visit on each date of a rule. All dates are decided on one desk, each beside those before it, and written
together, or none is.
"""

from typing import Any

import msgspec

from holdfast import ids
from holdfast.actor import Asked
from holdfast.commands import series_refusal
from holdfast.commands.batch import need_of
from holdfast.commands.book import Book
from holdfast.commands.desk import Desk, View
from holdfast.commands.house import House
from holdfast.commands.intent import BOOKINGS, Errand, Intent, Placing, known
from holdfast.commands.line_wish import LineWish
from holdfast.commands.series import Date, Series, encoded, series_body
from holdfast.commands.series_refusal import series_conflict
from holdfast.errors import REFUSALS, Invalid, NotFound, Refused
from holdfast.rules import recurrence
from holdfast.rules.facts import DatesOf, Directory, SpanOf, Visit
from holdfast.rules.recurrence import Recurs
from holdfast.slot import instant, moment, rfc3339


class EveryDate(Book, kw_only=True):
    """The booking of the first date, which looks at the time of all."""

    series_id: str = msgspec.field(default_factory=ids.new)
    recurs: Recurs

    _made: tuple[Directory, list[Book]] | None = None

    def bookings(self, directory: Directory) -> list[Book]:
        """One for each date, all as long as the first. Raises NotFound and Invalid naming the field."""
        if self._made is None or self._made[0] is not directory:
            known(directory.clinics, self.clinic_id, "clinic_id")
            span = (self.start, self.wished(directory, None, 0).end)
            zone_name = directory.clinics[self.clinic_id].time_zone
            dates = recurrence.spans(self.recurs.rule, span, zone_name, self.recurs.without)
            fields = {name: getattr(self, name) for name in Book.__struct_fields__}
            self._made = (directory, [self._at(start, fields) for start, _ in dates])
        return self._made[1]

    def _at(self, start: int, fields: dict[str, Any]) -> Book:
        by = start - self.start
        others = tuple([(field, _later(line, by)) for field, line in self.others])
        return Book(**fields | {"start": start, "first": _later(self.first, by), "others": others})

    def spans(self, directory: Directory, before: Visit | None, now: int) -> list[SpanOf]:
        try:
            bookings = self.bookings(directory)
        except (NotFound, Invalid):
            return []  # said when it is decided
        return [span for each in bookings for span in each.spans(directory, before, now)]

    def dates(self, directory: Directory, before: Visit | None, now: int) -> list[DatesOf]:
        try:
            bookings = self.bookings(directory)
        except (NotFound, Invalid):
            return []
        return [counted for each in bookings for counted in each.dates(directory, before, now)]


def every_date(booking: Book, recurs: Recurs) -> EveryDate:
    """The booking of the first date as that of a new series."""
    fields = {name: getattr(booking, name) for name in Book.__struct_fields__ if name != "series_id"}
    return EveryDate(recurs=recurs, **fields)


class BookSeries(Errand, kw_only=True):
    """`skip_conflicts`: the dates that cannot be had are left out; otherwise all are booked or none."""

    booking: EveryDate
    skip_conflicts: bool = False

    @property
    def rank(self) -> int:
        return BOOKINGS

    @property
    def needs_turn(self) -> bool:
        return True

    @property
    def parts(self) -> tuple[Intent, ...]:
        return (self.booking,)

    @property
    def status(self) -> int:
        return 201

    def carry_out(self, desk: Desk, asked: Asked, view: View) -> tuple[bytes, int | None]:
        """Raises Refused: series_conflict, whose `dates` names every bad date with all its reasons; or forbidden."""
        put_back = desk.as_it_is()
        try:
            visits, bad = self._decided(desk, asked)
            if bad and not (self.skip_conflicts and visits):
                raise series_conflict(bad, desk.keeping.seq_after)
        except BaseException:
            put_back()
            raise
        series_id = self._keep(desk, asked, visits, bad)
        patient = desk.patient(self.booking.patient)
        shown = [msgspec.Raw(view(visit, desk.directory, asked, patient)) for visit in visits]
        content = {"series_id": series_id, "version": 1, "booked": shown, "skipped": bad}
        return msgspec.json.encode(content), 1

    def _decided(self, desk: Desk, asked: Asked) -> tuple[list[Visit], list[dict[str, Any]]]:
        """The visits that are granted, and the dates that are refused with every reason: each beside those before it."""
        visits, bad = [], []
        for each in self.booking.bookings(desk.directory):
            try:
                visits.append(each.decide(desk, asked))
            except Refused as refusal:
                if refusal.code not in REFUSALS:
                    raise
                reasons = [{"code": why.code, "detail": why.detail, **why.members} for why in refusal.reasons]
                bad.append({"start": rfc3339(each.start), "code": refusal.code, "reasons": reasons})
        return visits, bad

    def _keep(self, desk: Desk, asked: Asked, visits: list[Visit], bad: list[dict[str, Any]]) -> str:
        """The series' id."""
        booking, keeping = self.booking, desk.keeping
        dates = [Date(start=visit.start, appointment_id=visit.id) for visit in visits]
        dates += [Date(start=instant(each["start"]), code=each["code"]) for each in bad]
        dates.sort(key=lambda each: each.start)
        series = Series(
            id=booking.series_id, clinic_id=booking.clinic_id, patient_id=booking.patient, rrule=booking.recurs.rule,
            exdates=sorted(booking.recurs.without), dates=dates, version=1, created_by=asked.actor.user_id,
            created_at=desk.now, updated_at=desk.now,
        )  # fmt: skip
        desk.preceding.append(("series_insert", (
            keeping.organization, series.id, series.clinic_id, series.patient_id, series.rrule, series.exdates,
            encoded(dates), series.created_by, moment(desk.now),
        )))  # fmt: skip
        keeping.tell("series.booked", series_body(series))
        keeping.note(asked, "series.booked", "series", series.id, visits=len(visits))
        return series.id


def _later(line: LineWish, by: int) -> LineWish:
    start = None if line.start is None else line.start + by
    end = None if line.end is None else line.end + by
    return msgspec.structs.replace(line, start=start, end=end)


async def explained(house: House, asked: Asked, errand: BookSeries, refused: Refused) -> Refused:
    """The refusal with what is in the way of each bad date, on the state of now."""

    def wanted(directory: Directory) -> dict[str, Placing]:
        return {rfc3339(each.start): each for each in errand.booking.bookings(directory)}

    return await series_refusal.explained(house, asked, need_of([errand.booking]), wanted, refused)
