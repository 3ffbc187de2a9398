"""What would become of a booking, without booking: the verdict, and every room with what the rules say of it."""

from typing import NamedTuple

from holdfast.actor import Asked
from holdfast.commands.batch import need_of
from holdfast.commands.book import Book
from holdfast.commands.house import House
from holdfast.commands.reading import snapshot
from holdfast.commands.refusal import laid_out
from holdfast.errors import Reason
from holdfast.rules.assess import assess
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
    account = verdict.account
    decided = None if account is None else kept(found.directory, account)
    return Evaluated(
        found.facts.seq, found.directory, visit, verdict.reasons,
        None if verdict.room is None else verdict.room.room.id,
        None if decided is None else told(decided.decision, decided.grounds),
    )  # fmt: skip
