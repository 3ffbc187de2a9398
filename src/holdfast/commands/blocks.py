"""Time that is nobody's visit: a meeting, break, admin, training or travel. Each attendee and the room is one claim,
under the same law as visits: what is taken is refused, and what is granted keeps bookings out.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands.change import Turn, change
from holdfast.commands.desk import earliest_start
from holdfast.commands.house import House
from holdfast.commands.intent import check_time
from holdfast.commands.save import Document, Noun, answered, read
from holdfast.db.statements import statement
from holdfast.errors import REFUSALS, NotFound, Reason, Refused
from holdfast.settings import Settings
from holdfast.slot import instant, moment, rfc3339
from holdfast.vault import Seal

_TAKES_TIME: Final = ("practitioner_ids", "room_id", "start", "end")


def _context(block_id: str) -> str:
    return f"blocks.label/{block_id}"


def _shown(stored: Document, seal: Seal) -> Document:
    block = dict(stored)
    sealed = block.pop("label_encrypted")
    block["label"] = seal.open(bytes.fromhex(sealed), _context(block["id"])).decode() if sealed else ""
    return block


# A label is somebody's own words: sealed at rest, and no event tells it.
BLOCK = Noun("block", "blocks", shown=_shown, private=frozenset({"label"}), in_directory=False)


async def record(house: House, asked: Asked, fields: Document) -> Answered:
    async def work(turn: Turn) -> Answered:
        block = {**fields, "id": ids.new(), "version": 1}
        resources = await _resources(turn, block)
        _own(asked, block)
        await _take(turn, asked, house.settings, block, resources, None)
        return answered(201, await _told(turn, asked, "block.created", block["id"]))

    return await change(house, asked, work)


async def move(house: House, asked: Asked, block_id: str, fields: Document) -> Answered:
    """Lays `fields` over what is there; a new start without an end keeps the length. What would change nothing has no
    effect and keeps the version."""

    async def work(turn: Turn) -> Answered:
        before = await _current(turn, asked, block_id)
        wanted = before | fields
        if "start" in fields and "end" not in fields:
            longer = instant(fields["start"]) - instant(before["start"])
            wanted["end"] = rfc3339(instant(before["end"]) + longer)
        if wanted == before:
            return answered(200, before)
        wanted["version"] = before["version"] + 1
        resources = await _resources(turn, wanted)
        _own(asked, wanted)
        is_moved = any(wanted[name] != before[name] for name in _TAKES_TIME)
        if is_moved:
            await _release(turn, before)
            await _take(turn, asked, house.settings, wanted, resources, before)
        else:
            await _keep(turn, wanted)
        return answered(
            200, await _told(turn, asked, "block.moved" if is_moved else "block.changed", block_id)
        )

    return await change(house, asked, work)


async def delete(house: House, asked: Asked, block_id: str) -> Answered:
    """Gives the time back: 204."""

    async def work(turn: Turn) -> Answered:
        block = await _current(turn, asked, block_id)
        await _release(turn, block)
        await turn.connection.execute(
            statement("block_delete"), turn.organization, block_id, moment(turn.now)
        )
        _tell(turn, asked, "block.deleted", block | {"version": block["version"] + 1})
        return Answered(status=204, content=b"")

    return await change(house, asked, work)


async def _current(turn: Turn, asked: Asked, block_id: str) -> Document:
    """The block that is to be changed. Raises NotFound; Refused for another's, or another version."""
    block, _ = await read(turn.connection, turn.organization, BLOCK, turn.seal, block_id)
    _own(asked, block)
    if asked.if_match not in {None, block["version"]}:
        raise Refused(
            "version_mismatch", f"This is version {block['version']} by now.", version=block["version"]
        )
    return block


def _own(asked: Asked, block: Document) -> None:
    """A practitioner disposes of nobody's time but their own."""
    actor = asked.actor
    if actor.reach("appointments.write") != "all" and block["practitioner_ids"] != [actor.practitioner_id]:
        raise Refused("forbidden", "Only blocks of one's own time may be changed.")


async def _resources(turn: Turn, block: Document) -> dict[str, Any]:
    """The rows of the practitioners and the room that a block wants, by id. Raises NotFound."""
    found = {
        row["id"]: row
        for row in await turn.connection.fetch(
            statement("block_resources"), turn.organization, block["practitioner_ids"], block["room_id"]
        )
    }
    if not found.keys() >= set(block["practitioner_ids"]):
        raise NotFound("practitioner_ids")
    if block["room_id"] is not None and block["room_id"] not in found:
        raise NotFound("room_id")
    return found


async def _take(
    turn: Turn,
    asked: Asked,
    settings: Settings,
    block: Document,
    resources: dict[str, Any],
    before: Document | None,
) -> None:
    """Keeps the block and claims its time. Raises Refused with every reason against it and the claims in the way."""
    start, end = instant(block["start"]), instant(block["end"])
    check_time(settings, turn.now, start, end, "end")
    await _keep(turn, block)
    rows = await turn.connection.fetch(
        statement("block_claims_take"), turn.organization, list(resources),
        [row["seats"] for row in resources.values()], moment(start), moment(end), block["id"],
    )  # fmt: skip
    taken = [resources[each] for each in resources.keys() - {row["resource_id"] for row in rows}]
    reasons = [
        Reason(f"{row['kind']}_conflict", f"{row['name']} is taken at that time.") for row in taken
    ] + list(_unfit(resources.values()))
    stays = before is not None and before["start"] == block["start"]
    if not stays and start < earliest_start(settings, turn.now, asked):
        reasons.append(Reason("start_in_past", "The start is too far in the past."))
    if reasons:
        reasons.sort(key=lambda reason: REFUSALS.index(reason.code))
        raise Refused(
            reasons[0].code, reasons[0].detail, reasons=tuple(reasons),
            conflicts=await _conflicts(turn, taken, start, end), as_of_seq=turn.seq_before,
        )  # fmt: skip


def _unfit(resources: Iterable[Any]) -> Iterable[Reason]:
    for row in resources:
        if not row["is_active"]:
            yield Reason("inactive_resource", f"{row['name']} is not active.")
        elif not row["is_available"]:
            yield Reason("room_unavailable", f"{row['name']} is not available.")


async def _conflicts(turn: Turn, taken: list[Any], start: int, end: int) -> tuple[dict[str, Any], ...]:
    """The claims in the way on the resources without a free seat, as refused bookings list them."""
    count = len(taken)
    encoded = await turn.connection.fetchval(
        statement("claims_in_way"), turn.organization, list(range(count)), [row["kind"] for row in taken],
        [row["id"] for row in taken], [moment(start)] * count, [moment(end)] * count, [None] * count,
    )  # fmt: skip
    return tuple(
        {
            "kind": kind, "resource_id": resource, "appointment_id": appointment, "start": rfc3339(starts),
            "end": rfc3339(ends), "status": status or claim_kind,
        }
        for _, kind, resource, _, starts, ends, claim_kind, appointment, status
        in msgspec.json.decode(encoded)["claims"] or ()
    )  # fmt: skip


async def _keep(turn: Turn, block: Document) -> None:
    label = block["label"]
    sealed = turn.seal.seal(label.encode(), _context(block["id"])) if label else None
    await turn.connection.execute(
        statement("block_save"), turn.organization, block["id"], block["kind"], block["room_id"],
        moment(instant(block["start"])), moment(instant(block["end"])), sealed, block["version"], moment(turn.now),
    )  # fmt: skip
    await turn.connection.execute(
        statement("block_attendees_set"), turn.organization, block["id"], block["practitioner_ids"]
    )


async def _release(turn: Turn, block: Document) -> None:
    resources = [*block["practitioner_ids"], *([block["room_id"]] if block["room_id"] else [])]
    await turn.connection.execute(
        statement("block_claims_release"), turn.organization, resources, moment(instant(block["start"])), block["id"]
    )  # fmt: skip


async def _told(turn: Turn, asked: Asked, kind: str, block_id: str) -> Document:
    """Tells what has happened to a block; the block afterwards."""
    block, _ = await read(turn.connection, turn.organization, BLOCK, turn.seal, block_id)
    _tell(turn, asked, kind, block)
    return block


def _tell(turn: Turn, asked: Asked, kind: str, block: Document) -> None:
    turn.tell(kind, {name: value for name, value in block.items() if name not in BLOCK.private})
    turn.note(asked, kind, "block", block["id"])
