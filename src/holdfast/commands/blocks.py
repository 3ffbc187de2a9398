"""Time that is nobody's visit: a meeting, break, admin, training or travel. Each attendee and the room is one claim,
under the same law as visits: what is taken is refused, and what is granted keeps bookings out. One that recurs is a block
for each date, all written or none; `following` changes a date and those after it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands.block_refusal import Unfit, Unfitting, explained
from holdfast.commands.change import Turn, change
from holdfast.commands.desk import earliest_start
from holdfast.commands.expire import end_expired
from holdfast.commands.house import House
from holdfast.commands.intent import check_time
from holdfast.commands.save import Document, Noun, answered, read
from holdfast.db.statements import statement
from holdfast.errors import REFUSALS, NotFound, Reason, Refused
from holdfast.rules.recurrence import Recurs, shifted, spans, wall_distance
from holdfast.settings import Settings
from holdfast.slot import Span, instant, moment, rfc3339
from holdfast.vault import Seal

_TAKES_TIME: Final = ("practitioner_ids", "room_id", "start", "end")


class _Step(NamedTuple):
    """What a block is (None: not there yet), and what it shall be."""

    before: Document | None
    wanted: Document

    @property
    def takes_time(self) -> bool:
        before = self.before
        return before is None or any(self.wanted[name] != before[name] for name in _TAKES_TIME)


def _context(block_id: str) -> str:
    return f"blocks.label/{block_id}"


def _shown(stored: Document, seal: Seal) -> Document:
    block = dict(stored)
    sealed = block.pop("label_encrypted")
    block["label"] = seal.open(bytes.fromhex(sealed), _context(block["id"])).decode() if sealed else ""
    return block


# A label is somebody's own words: sealed at rest, and no event tells it.
BLOCK = Noun("block", "blocks", shown=_shown, private=frozenset({"label"}), in_directory=False)


async def record(house: House, asked: Asked, fields: Document, recurs: Recurs | None = None) -> Answered:
    """A new block: 201. With `recurs` one for each date: the first, and `dates` with all of them."""

    async def work(turn: Turn) -> Answered:
        resources = await _resources(turn, [fields])
        _own(asked, fields)
        check_time(house.settings, turn.now, *_span(fields), "end")
        times, series = [_span(fields)], None
        if recurs is not None:
            zone_name = await _zone(turn, fields)
            times, series = spans(recurs.rule, times[0], zone_name, recurs.without), ids.new()
        steps = [
            _Step(None, {**fields, **_times(span), "id": ids.new(), "version": 1, "series_id": series})
            for span in times
        ]
        await _take(turn, asked, house.settings, steps, resources)
        made = await _told(turn, asked, steps, "block.created")
        dates = [{name: block[name] for name in ("id", "start", "end")} for block in made]
        return answered(201, made[0] | ({"dates": dates} if recurs else {}))

    return await _granted(house, asked, work)


async def move(
    house: House, asked: Asked, block_id: str, fields: Document, *, following: bool = False
) -> Answered:
    """Lays `fields` over what is there; a new start without an end keeps the length. What would change nothing has no
    effect and keeps the version. The dates that follow move as far on the wall as the named one does."""

    async def work(turn: Turn) -> Answered:
        named = await _current(turn, asked, block_id)
        befores = await _following(turn, asked, named) if following else [named]
        steps = await _wanted(turn, named, befores, fields)
        if not steps:
            return answered(200, named)
        resources = await _resources(turn, [step.wanted for step in steps])
        for step in steps:
            _own(asked, step.wanted)
        moved = [step for step in steps if step.takes_time]
        left = [step.before for step in moved if step.before is not None]
        await _release(turn, left)
        await _take(turn, asked, house.settings, moved, resources)
        await _fill(turn, left)
        changed = [step for step in steps if not step.takes_time]
        await _keep(turn, [step.wanted for step in changed])
        told = await _told(turn, asked, moved, "block.moved")
        told += await _told(turn, asked, changed, "block.changed")
        return answered(200, next((each for each in told if each["id"] == block_id), named))

    return await _granted(house, asked, work)


async def delete(house: House, asked: Asked, block_id: str, *, following: bool = False) -> Answered:
    """Gives the time back: 204."""

    async def work(turn: Turn) -> Answered:
        named = await _current(turn, asked, block_id)
        gone = await _following(turn, asked, named) if following else [named]
        await _release(turn, gone)
        await turn.connection.executemany(
            statement("block_delete"), [(turn.organization, each["id"], moment(turn.now)) for each in gone]
        )
        await _fill(turn, gone)
        for each in gone:
            _tell(turn, asked, "block.deleted", each | {"version": each["version"] + 1})
        return Answered(status=204, content=b"")

    return await change(house, asked, work)


async def _granted(house: House, asked: Asked, work: Callable[[Turn], Awaitable[Answered]]) -> Answered:
    """What is refused is explained when the turn has been given back."""
    try:
        return await change(house, asked, work)
    except Unfit as unfit:
        raise await explained(house, asked, unfit) from unfit


async def _current(turn: Turn, asked: Asked, block_id: str) -> Document:
    """The block that is to be changed. Raises NotFound; Refused for another's, or another version."""
    block, _ = await read(turn.connection, turn.organization, BLOCK, turn.seal, block_id)
    _own(asked, block)
    if asked.if_match not in {None, block["version"]}:
        raise Refused(
            "version_mismatch", f"This is version {block['version']} by now.", version=block["version"]
        )
    return block


async def _following(turn: Turn, asked: Asked, named: Document) -> list[Document]:
    """A block and those of its series that come after it. Raises Refused if one of them is another's."""
    if named["series_id"] is None:
        return [named]
    rows = await turn.connection.fetch(
        statement("blocks_following"), turn.organization, named["series_id"], moment(_span(named)[0])
    )
    found = [BLOCK.shown(msgspec.json.decode(row["document"]), turn.seal) for row in rows]
    for each in found:
        _own(asked, each)
    return found


async def _wanted(turn: Turn, named: Document, befores: list[Document], fields: Document) -> list[_Step]:
    """What shall be of each block that changes."""
    first, wanted = _span(named), named | fields
    if "start" in fields and "end" not in fields:
        wanted["end"] = rfc3339(first[1] + instant(fields["start"]) - first[0])
    zone_name = await _zone(turn, named) if len(befores) > 1 else "UTC"
    start_by, end_by = (
        wall_distance(before, after, zone_name) for before, after in zip(first, _span(wanted), strict=True)
    )
    steps = []
    for before in befores:
        is_named = before["id"] == named["id"]
        span = _span(wanted) if is_named else shifted(_span(before), start_by, end_by, zone_name)
        after = before | fields | _times(span)
        if after != before:
            steps.append(_Step(before, after | {"version": before["version"] + 1}))
    return steps


def _own(asked: Asked, block: Document) -> None:
    """A practitioner disposes of nobody's time but their own."""
    actor = asked.actor
    if actor.reach("appointments.write") != "all" and block["practitioner_ids"] != [actor.practitioner_id]:
        raise Refused("forbidden", "Only blocks of one's own time may be changed.")


def _span(block: Document) -> Span:
    return instant(block["start"]), instant(block["end"])


def _times(span: Span) -> Document:
    return {"start": rfc3339(span[0]), "end": rfc3339(span[1])}


async def _zone(turn: Turn, block: Document) -> str:
    zone_name: str = await turn.connection.fetchval(
        statement("block_zone"), turn.organization, block["practitioner_ids"], block["room_id"]
    )
    return zone_name


async def _resources(turn: Turn, blocks: Iterable[Document]) -> dict[str, Any]:
    """The rows of the practitioners and rooms that blocks want, by id. Raises NotFound."""
    people = sorted({each for block in blocks for each in block["practitioner_ids"]})
    rooms = sorted({block["room_id"] for block in blocks if block["room_id"] is not None})
    found = {
        row["id"]: row
        for row in await turn.connection.fetch(statement("block_resources"), turn.organization, people, rooms)
    }
    for field, wanted in (("practitioner_ids", people), ("room_id", rooms)):
        if not found.keys() >= set(wanted):
            raise NotFound(field)
    return found


async def _take(
    turn: Turn, asked: Asked, settings: Settings, steps: Sequence[_Step], resources: dict[str, Any]
) -> None:
    """Keeps the blocks and claims their time. Raises Unfit with every reason against every one of them."""
    for step in steps:
        check_time(settings, turn.now, *_span(step.wanted), "end")
    await end_expired(turn)
    await _keep(turn, [step.wanted for step in steps])
    wanted = [(step.wanted, _resource_ids(step.wanted)) for step in steps]
    rows = await turn.connection.fetchmany(
        statement("block_claims_take"),
        [
            (turn.organization, whom, [resources[each]["seats"] for each in whom], *_moments(block), block["id"])
            for block, whom in wanted
        ],
    )  # fmt: skip
    had = {(row["block_id"], row["resource_id"]) for row in rows}
    earliest = earliest_start(settings, turn.now, asked)
    unfitting = []
    for step, (block, whom) in zip(steps, wanted, strict=True):
        taken = [resources[each] for each in whom if (block["id"], each) not in had]
        reasons = list(_reasons(taken, [resources[each] for each in whom]))
        stays = step.before is not None and step.before["start"] == block["start"]
        if not stays and instant(block["start"]) < earliest:
            reasons.append(Reason("start_in_past", "The start is too far in the past."))
        if reasons:
            reasons.sort(key=lambda reason: REFUSALS.index(reason.code))
            unfitting.append(Unfitting(block, tuple(reasons)))
    if unfitting:
        raise Unfit(unfitting, [step.before for step in steps if step.before], is_series=len(steps) > 1)


def _reasons(taken: Iterable[Any], wanted: Iterable[Any]) -> Iterable[Reason]:
    for row in taken:
        yield Reason(f"{row['kind']}_conflict", f"{row['name']} is taken at that time.")
    for row in wanted:
        if not row["is_active"]:
            yield Reason("inactive_resource", f"{row['name']} is not active.")
        elif not row["is_available"]:
            yield Reason("room_unavailable", f"{row['name']} is not available.")


def _resource_ids(block: Document) -> list[str]:
    return [*block["practitioner_ids"], *([block["room_id"]] if block["room_id"] else [])]


def _moments(block: Document) -> tuple[Any, Any]:
    start, end = _span(block)
    return moment(start), moment(end)


async def _keep(turn: Turn, blocks: Sequence[Document]) -> None:
    await turn.connection.executemany(
        statement("block_save"),
        [
            (
                turn.organization, block["id"], block["kind"], block["room_id"], *_moments(block), _sealed(turn, block),
                block["version"], moment(turn.now), block["series_id"],
            )
            for block in blocks
        ],
    )  # fmt: skip
    await turn.connection.executemany(
        statement("block_attendees_set"),
        [(turn.organization, block["id"], block["practitioner_ids"]) for block in blocks],
    )


def _sealed(turn: Turn, block: Document) -> bytes | None:
    label = block["label"]
    return turn.seal.seal(label.encode(), _context(block["id"])) if label else None


async def _release(turn: Turn, blocks: Iterable[Document]) -> None:
    await turn.connection.executemany(
        statement("block_claims_release"),
        [(turn.organization, _resource_ids(block), _moments(block)[0], block["id"]) for block in blocks],
    )


async def _fill(turn: Turn, blocks: Iterable[Document]) -> None:
    """What blocks have given back inside an absence is the absence's."""
    await turn.connection.executemany(
        statement("fill_absences"),
        [(turn.organization, _resource_ids(block), *_moments(block)) for block in blocks],
    )


async def _told(turn: Turn, asked: Asked, steps: Sequence[_Step], kind: str) -> list[Document]:
    """Tells what has happened to blocks; the blocks afterwards, by start."""
    rows = await turn.connection.fetch(
        statement("blocks_get"), turn.organization, [step.wanted["id"] for step in steps]
    )
    blocks = [BLOCK.shown(msgspec.json.decode(row["document"]), turn.seal) for row in rows]
    for block in blocks:
        _tell(turn, asked, kind, block)
    return blocks


def _tell(turn: Turn, asked: Asked, kind: str, block: Document) -> None:
    turn.tell(kind, {name: value for name, value in block.items() if name not in BLOCK.private})
    turn.note(asked, kind, "block", block["id"])
