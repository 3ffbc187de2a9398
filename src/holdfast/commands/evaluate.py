"""What would become of a booking, without booking: the verdict, and every room with what the rules say of it. And how the
rooms compare for a visit that is booked."""

from typing import NamedTuple

from holdfast.actor import Asked
from holdfast.commands.batch import need_of
from holdfast.commands.book import Book
from holdfast.commands.desk import Desk
from holdfast.commands.gather import Need
from holdfast.commands.house import House
from holdfast.commands.reading import Snapshot, snapshot
from holdfast.commands.refusal import laid_out
from holdfast.db.keeping import Keeping
from holdfast.errors import Reason
from holdfast.rules import rooms
from holdfast.rules.assess import assess, question_about, spans
from holdfast.rules.decision import Told, kept, told
from holdfast.rules.facts import Directory, Visit


class Evaluated(NamedTuple):
    """`reasons` empty: it would be booked. `told` is None for a visit without a room. True at `seq`."""

    seq: int
    directory: Directory
    visit: Visit
    reasons: list[Reason]
    room_id: str | None
    told: Told | None


async def evaluated(house: House, asked: Asked, intent: Book) -> Evaluated:
    """Raises Invalid, NotFound, Refused (forbidden) as booking does."""
    async with snapshot(house, asked.actor.organization_id) as reading:
        found = await reading.gather(need_of([intent]))
        desk, wish, patient = await laid_out(house, reading, found, asked, intent)
        visit, _ = intent.looked_over(desk, asked)
        wish.visit, wish.room = visit, intent.wish(found.directory, visit, None).room
        wish.in_full = True
        verdict = assess(found.directory, found.timetable, patient, desk.authorizations_of(patient.id), wish)
    return Evaluated(
        found.facts.seq, found.directory, visit, verdict.reasons,
        None if verdict.room is None else verdict.room.room.id,
        None if verdict.account is None else _told(found.directory, verdict.account),
    )  # fmt: skip


async def rooms_now(house: House, reading: Snapshot, visit: Visit) -> Told:
    """How all rooms of its clinic compare for a stored visit that keeps its time, itself out of the way, in this snapshot
    and by the rules of now."""
    need = Need(
        lambda directory, _visits, _now: spans(directory, visit),
        visits={visit.id},
        patients={visit.patient_id},
    )
    found = await reading.gather(need)
    organization = found.directory.organization.id
    seal = await house.seal(reading.connection, organization)
    keeping = Keeping(organization, found.facts.seq, found.facts.now, seal)
    desk = Desk(house.settings, found.directory, found.timetable, found.facts, keeping)
    desk.lift(visit)
    clinic = found.directory.clinics[visit.clinic_id]
    question = question_about(found.directory, clinic, desk.patient(visit.patient_id), visit, desk.now)
    account = rooms.account(found.directory, desk.timetable, found.directory.rooms_of[clinic.id], question)
    return _told(found.directory, account)


def _told(directory: Directory, account: rooms.Account) -> Told:
    """As it would be told if it were stored."""
    stored = kept(directory, account)
    return told(stored.decision, stored.grounds)
