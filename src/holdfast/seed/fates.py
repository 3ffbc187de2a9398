"""What became of planned visits by the moment that the world was made at: done and noted, cancelled, missed, under way,
still to come. In fixed shares, so that a report over the past fortnight looks like a clinic's.
"""

from datetime import timedelta
from typing import Any, Final

from holdfast.seed.world import Planned, Step, World
from holdfast.slot import MINUTE, local_date

_COMPLETED, _CANCELLED, _NO_SHOW = 0.82, 0.10, 0.05
_UNSIGNED = 0.04
"""Of those that were completed before today; of today's nobody has written the notes yet."""
_NOTES: Final = (
    "Arrived in good spirits and took part throughout. Goals continued as planned; no changes.",
    "Needed two short breaks. Steady progress on the first goal, the second was left for next time.",
    "Practised what was begun last time, now with fewer prompts. Caregiver was told what to repeat at home.",
    "A slow start, then good attention. The plan stays as it is.",
    "Met today's goal. Next time one step further.",
)
_ENDED_MINUTES_LATE: Final = (-4, -2, 0, 0, 0, 0, 0, 2, 3, 5)
_CANCELLATIONS: Final = (
    ("patient", "illness", "Has a fever."),
    ("patient", "schedule", None),
    ("patient", "transport", "The car would not start."),
    ("caregiver", "illness", "A brother brought something home from school."),
    ("caregiver", "schedule", None),
    ("practitioner", "illness", None),
    ("clinic", "staffing", None),
    ("weather", "weather", "The road was under water."),
)
_HOUR = 3600


def decide(world: World) -> None:
    """Gives every planned visit its steps."""
    zones = {clinic["id"]: clinic["time_zone"] for clinic in world.all("clinic")}
    past: list[Planned] = []
    for planned in world.visits:
        zone = zones[planned.book.clinic_id]
        days = (local_date(planned.book.start, zone) - world.today(zone)) / timedelta(days=1)
        if days < 0:
            past.append(planned)
        elif days == 0:
            _today(world, planned)
        else:
            _ahead(world, planned, round(days))
    _fortnight(world, past)


def _fortnight(world: World, past: list[Planned]) -> None:
    """The few that are left over were never closed: somebody's paperwork is late."""
    world.chance.shuffle(past)
    done, gone = round(len(past) * _COMPLETED), round(len(past) * _CANCELLED)
    missed = round(len(past) * _NO_SHOW)
    for n, planned in enumerate(past[:done]):
        planned.steps.append(_completed(world, planned))
        if n >= round(done * _UNSIGNED):
            planned.note = _NOTES[n % len(_NOTES)]
    for planned in past[done : done + gone]:
        notice = world.chance.choice((1, 2, 5, 18, 26, 30, 50, 70))
        planned.steps.append(_cancelled(world, at=planned.book.start - notice * _HOUR))
    for planned in past[done + gone : done + gone + missed]:
        planned.steps.append(Step(call="no-show", at=planned.book.start + 20 * MINUTE))
    for planned in past[done + gone + missed :]:
        planned.steps.append(Step(call="confirm"))


def _today(world: World, planned: Planned) -> None:
    """By the clock."""
    start, now = planned.book.start, world.now
    arrived = Step(call="check-in", at=min(now, start - world.chance.randint(2, 12) * MINUTE))
    if planned.end <= now:
        if world.chance.some(_NO_SHOW):
            planned.steps.append(Step(call="no-show", at=start + 20 * MINUTE))
        else:
            planned.steps += [arrived, _completed(world, planned)]
    elif start <= now:
        planned.steps += [arrived, Step(call="start", at=start)]
    elif start - now < 15 * MINUTE:
        planned.steps.append(arrived)
    elif world.chance.some(0.8):
        planned.steps.append(Step(call="confirm"))


def _ahead(world: World, planned: Planned, days: int) -> None:
    if not planned.is_kept and world.chance.some(0.02):
        planned.steps.append(_cancelled(world, at=None))
    elif world.chance.some(0.8 if days == 1 else 0.45 if days <= 7 else 0.1):
        planned.steps.append(Step(call="confirm"))


def _completed(world: World, planned: Planned) -> Step:
    late = world.chance.choice(_ENDED_MINUTES_LATE) * MINUTE
    return Step(call="complete", at=min(world.now, planned.end + late))


def _cancelled(world: World, at: int | None) -> Step:
    by, code, text = world.chance.choice(_CANCELLATIONS)
    fields: dict[str, Any] = {"cancelled_by": by, "reason_code": code, "reason": text}
    return Step(call="cancel", at=at, fields=fields)
