"""Signs the sessions of an invented past by the product's own commands, many visits in a turn. Decides nothing."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date

from holdfast.actor import Answered, Asked
from holdfast.commands import sessions, sign
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.seed.world import Planned, World
from holdfast.slot import local_date

_VISITS_PER_TURN = 50
Noted = tuple[str, str]
"""A visit and what is noted of each of its lines."""


async def noted(house: House, asked: Asked, world: World, booked: Sequence[tuple[str, Planned]]) -> None:
    """Signs every line of the visits that have a note and were completed."""
    for together in _rounds(world, booked):
        for at in range(0, len(together), _VISITS_PER_TURN):
            await _signed(house, asked, together[at : at + _VISITS_PER_TURN])


def _rounds(world: World, booked: Sequence[tuple[str, Planned]]) -> list[list[Noted]]:
    """In each round at most one visit of a patient's day: what one uses depends on those that were signed before."""
    zones = {clinic["id"]: clinic["time_zone"] for clinic in world.all("clinic")}
    seen: Counter[tuple[str, date]] = Counter()
    rounds: dict[int, list[Noted]] = defaultdict(list)
    for visit_id, planned in booked:
        if planned.note:
            whose = (planned.book.patient, local_date(planned.book.start, zones[planned.book.clinic_id]))
            rounds[seen[whose]].append((visit_id, planned.note))
            seen[whose] += 1
    return [rounds[n] for n in sorted(rounds)]


async def _signed(house: House, asked: Asked, together: list[Noted]) -> None:
    async def work(turn: Turn) -> Answered:
        desk, day = await sign.opened(house, turn, [visit_id for visit_id, _ in together])
        for visit_id, note in together:
            before = desk.stored(visit_id)
            if before is None or before.status != "completed":
                continue
            words = dict.fromkeys(sessions.WORDS, "") | {"narrative": note}
            visit = sign.put_down(desk, asked, before, {line.line_no: None for line in before.lines}, day)
            for line in visit.lines:
                session = await sessions.begun(
                    turn, asked, visit.id, line.line_no, line.practitioner_id, visit.patient_id, words
                )
                await sign.keep(turn, asked, "session.signed", session, line, desk)
        return Answered(status=201, content=b"")

    await change(house, asked, work)
