"""Groups: several patients with one practitioner at the same time. The group has the practitioner's and the room's time; each
member is a visit like any other, which claims its patient and one of the group's seats (decision 0022). What is done to a
group is done in a turn of its own, to its members too, all or nothing; a member is cancelled, signed and so on as any visit.
"""

from collections.abc import Callable, Iterable
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands import group_refusal
from holdfast.commands.batch import need_of
from holdfast.commands.book import Book
from holdfast.commands.change import Turn, change
from holdfast.commands.claims_kept import HeldClaim
from holdfast.commands.desk import Desk, View, earliest_start
from holdfast.commands.gather import Need, gather
from holdfast.commands.group import Group, check_own, group_body, of_document
from holdfast.commands.house import House
from holdfast.commands.intent import (
    Intent,
    check_overlap,
    check_time,
    copied,
    dates_of,
    kept_wish,
    known,
    place_anew,
    sealed_reason,
    settle_room,
    tails,
)
from holdfast.commands.line_wish import LineWish
from holdfast.commands.refusal import explained
from holdfast.commands.rows import decided
from holdfast.commands.together import reasons_told
from holdfast.commands.transition import Transition
from holdfast.commands.turn_desk import turn_desk
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import REFUSALS, FieldError, Invalid, NotFound, Refused
from holdfast.rules.assess import Wish, assess, spans
from holdfast.rules.facts import DatesOf, Directory, Membership, SpanOf, Visit
from holdfast.rules.timetable import Timetable
from holdfast.slot import moment
from holdfast.states import MOVABLE, TRANSITIONS, WITHOUT_CLAIMS

_KIND_OF: Final = MappingProxyType({"visit": "group", "turnover": "group_turnover"})
_MEMBERS_MIN: Final = 2
_MEMBERS_MAX: Final = 8
"""Where neither the request nor the service says how many."""
MOST: Final = 100
"""More is not a group."""


class NewMember(msgspec.Struct, kw_only=True, frozen=True):
    """Who joins. The rest of the visit is the group's."""

    patient_id: str
    authorization_id: str | None = None
    caregiver_id: str | None = None
    notes: str | None = None
    acknowledged: frozenset[str] = frozenset()
    believed: Book | None = None
    """Where the request says of the group itself what it is: it must be so."""


class NewGroup(msgspec.Struct, kw_only=True, frozen=True):
    """What is wished for. `members_max`: as many as the service is given to, where it is not said."""

    clinic_id: str
    line: LineWish
    start: int
    location: str | None = None
    room_id: str | None = None
    members_min: int | None = None
    members_max: int | None = None
    overlap_reason: str | None = None
    members: tuple[NewMember, ...] = ()


class Moved(msgspec.Struct, kw_only=True, frozen=True):
    """Only what is given changes; a new start without an end keeps the length."""

    start: int | None = None
    end: int | None = None
    practitioner_id: str | None = None
    room_id: str | None = None
    overlap_reason: str | None = None

    @property
    def fields(self) -> set[str]:
        names = ("start", "end", "practitioner_id", "room_id")
        return {name for name in names if getattr(self, name) is not None}


async def create(house: House, asked: Asked, wanted: NewGroup, view: View) -> Answered:
    """A new group with its first members: 201. Raises Refused with every reason against the group, or `group_conflict`, whose
    `members` names everyone who cannot join; NotFound, Invalid."""
    group_id = ids.new()
    tried: list[tuple[Group, Wish]] = []

    async def work(turn: Turn) -> Answered:
        directory = await _directory(house, turn)
        group = _begun(directory, group_id, wanted)
        books = [_booking(group, each) for each in wanted.members]
        desk = await turn_desk(house, turn, _need([group], books), directory)
        check_time(house.settings, desk.now, group.start, group.end, "end")
        desk.allow_times(asked, None, group)
        check_overlap(asked, wanted.overlap_reason)
        wish = _wish(group, "chosen" if wanted.room_id is None else "given", wanted.overlap_reason)
        tried[:] = [(group, wish)]
        desk.put_claims([], _placed(desk, asked, group, wish, by_hand=wanted.room_id))
        group.created_by, group.created_at, group.updated_at = asked.actor.user_id, turn.now, turn.now
        await _insert(turn, group)
        turn.tell("group.created", group_body(group))
        turn.note(
            asked, "group.created", "group", group.id, **sealed_reason(turn, group.id, wanted.overlap_reason)
        )
        shown = _joined(turn, desk, asked, [_booking(group, each) for each in wanted.members], view)
        return _answered(turn, 201, group, shown, len(shown))

    try:
        return await change(house, asked, work)
    except Refused as refused:
        if not _has_reasons(refused):
            raise
        raise await group_refusal.explained(
            house, asked, *tried[0], refused, is_alone=not wanted.members
        ) from None


async def join(
    house: House, asked: Asked, group_id: str, member: NewMember, view: View, field: str = "id"
) -> Answered:
    """One more member: 201 with their visit. `field`: what the request calls the group. Raises Refused: group_full,
    already_member, group_cancelled and whatever a booking is refused for; NotFound, Invalid."""
    tried: list[Book] = []

    async def work(turn: Turn) -> Answered:
        group = await _current(turn, asked, group_id, field)
        if member.believed is not None:
            _check_believed(await _directory(house, turn), group, member.believed)
        for row in await _members(turn.connection, turn.organization, group_id):
            if row["patient_id"] == member.patient_id and row["status"] not in WITHOUT_CLAIMS:
                why = "The patient is a member of the group already."
                raise Refused("already_member", why, appointment_id=row["id"])
        tried[:] = [_booking(group, member)]
        desk = await turn_desk(house, turn, need_of(list(tried)))
        content, version = tried[0].carry_out(desk, asked, view)
        return Answered(status=201, content=content, version=version)

    try:
        return await change(house, asked, work)
    except Refused as refused:
        if not _has_reasons(refused):
            raise
        raise await explained(house, asked, tried[0], refused) from None


async def move(house: House, asked: Asked, group_id: str, wanted: Moved, view: View) -> Answered:
    """The group and all its members somewhere else, at another time or with somebody else: 200. Raises as `create`; members
    who are there already are among those who cannot move."""
    tried: list[tuple[Group, Wish]] = []

    staying: set[str] = set()

    async def work(turn: Turn) -> Answered:
        before = await _current(turn, asked, group_id)
        directory = await _directory(house, turn)
        group = _becoming(directory, before, wanted)
        rows = await _members(turn.connection, turn.organization, group_id)
        staying.clear()
        staying.update(row["id"] for row in rows if row["status"] not in WITHOUT_CLAIMS)
        desk = await turn_desk(house, turn, _need([before, group], [], staying), directory)
        check_time(house.settings, desk.now, group.start, group.end, "end")
        desk.allow_times(asked, before, group)
        check_overlap(asked, wanted.overlap_reason)
        wish = _wish(group, "kept" if wanted.room_id is None else "given", wanted.overlap_reason)
        by_hand = group.room_id if wanted.room_id is not None or before.method == "manual" else None
        tried[:] = [(group, wish)]
        visits = [visit for each in sorted(staying) if (visit := desk.stored(each)) is not None]
        with desk.together([before, *visits]):
            stays = group.start == before.start
            desk.put_claims([], _placed(desk, asked, group, wish, by_hand=by_hand, stays=stays))
            group.version, group.updated_at = before.version + 1, turn.now
            await _keep(turn, group)
            turn.tell("group.moved", group_body(group))
            turn.note(asked, "group.moved", "group", group.id, version=group.version)
            shown = _moved(turn, desk, asked, group, visits, wanted.fields, view)
        return _answered(turn, 200, group, shown, len(shown))

    try:
        return await change(house, asked, work)
    except Refused as refused:
        if not _has_reasons(refused):
            raise
        raise await group_refusal.explained(house, asked, *tried[0], refused, is_alone=not staying) from None


async def cancel(house: House, asked: Asked, group_id: str, how: dict[str, Any], view: View) -> Answered:
    """Cancels the group and its members' visits, all or nothing: 200. `how`: the fields of a cancellation. Raises Refused:
    group_cancelled, or `group_conflict` if a visit of it has begun; NotFound, Invalid."""

    async def work(turn: Turn) -> Answered:
        group = await _current(turn, asked, group_id)
        rows = await _members(turn.connection, turn.organization, group_id)
        verbs = [
            Transition(id=row["id"], call="cancel", **how)
            for row in rows
            if row["status"] not in WITHOUT_CLAIMS
        ]
        desk = await turn_desk(house, turn, _need([group], verbs))
        desk.allow(asked, group)
        believed = msgspec.structs.replace(asked, if_match=None)

        def cancelled(verb: Transition) -> bytes:
            return view(verb.decide(desk, believed), desk.directory, asked, None)

        shown = _each(turn, [({"appointment_id": verb.id}, "", partial(cancelled, verb)) for verb in verbs])
        desk.put_claims(desk.lift(group), [])
        group.status, group.version, group.updated_at = "cancelled", group.version + 1, turn.now
        await turn.connection.execute(
            statement("block_delete"), turn.organization, group.id, moment(turn.now)
        )
        turn.tell("group.cancelled", group_body(group))
        reason = sealed_reason(turn, group.id, how.get("reason"))
        turn.note(asked, "group.cancelled", "group", group.id, version=group.version, **reason)
        return _answered(turn, 200, group, shown, 0)

    return await change(house, asked, work)


def _has_reasons(refused: Refused) -> bool:
    """Whether the refusal is looked at once more, on the state of then, before it is told."""
    return refused.code in REFUSALS and bool(refused.reasons)


def _begun(directory: Directory, group_id: str, wanted: NewGroup) -> Group:
    """The group as it shall be, its room not chosen yet. Raises NotFound and Invalid naming the field."""
    visit = Book(
        clinic_id=wanted.clinic_id, patient=group_id, start=wanted.start, first=wanted.line, location=wanted.location,
        room_id=wanted.room_id,
    ).wished(directory, None, 0)  # fmt: skip
    given_to = directory.services[wanted.line.service_id].capacity
    most = wanted.members_max or (min(given_to, MOST) if given_to > 1 else _MEMBERS_MAX)
    least = min(_MEMBERS_MIN, most) if wanted.members_min is None else wanted.members_min
    if least > most:
        raise Invalid(FieldError("members_min", "invalid_value", "must not be above members_max"))
    visit.lines[0].patient_present = False  # nobody's in particular
    line = visit.lines[0]
    return Group(
        id=group_id, clinic_id=visit.clinic_id, patient_id=group_id, room_id=visit.room_id, location=visit.location,
        start=visit.start, end=visit.end, status="scheduled", lines=visit.lines, members_min=least,
        group=Membership(visit.start, visit.end, line.practitioner_id, visit.room_id, most, 0),
    )  # fmt: skip


def _becoming(directory: Directory, before: Group, wanted: Moved) -> Group:
    """The group as it shall be after a move. Raises NotFound and Invalid naming the field."""
    if not wanted.fields:
        raise Invalid(FieldError("body", "missing", "give at least one field to change"))
    group = msgspec.structs.replace(before, lines=[msgspec.structs.replace(before.lines[0])])
    (line,) = group.lines
    if wanted.start is not None:
        line.start, line.end = wanted.start, wanted.start + before.end - before.start
    if wanted.end is not None:
        line.end = wanted.end
    if line.end <= line.start:
        raise Invalid(FieldError("end", "invalid_value", "must be after the start"))
    if wanted.practitioner_id is not None:
        known(directory.practitioners, wanted.practitioner_id, "practitioner_id")
        line.practitioner_id = wanted.practitioner_id
    if wanted.room_id is not None:
        known(directory.rooms, wanted.room_id, "room_id")
        if group.location != "on_site":
            raise Invalid(FieldError("room_id", "invalid_value", "only an on-site group has a room"))
        group.room_id = wanted.room_id
    group.start, group.end = line.start, line.end
    tails(directory, group)
    return group


def _booking(group: Group, member: NewMember) -> Book:
    """A member's visit, where the group is."""
    (line,) = group.lines
    return Book(
        clinic_id=group.clinic_id, patient=member.patient_id, start=group.start, location=group.location,
        room_id=group.room_id, notes=member.notes, acknowledged=member.acknowledged, group_id=group.id, group=group.group,
        first=LineWish(
            practitioner_id=line.practitioner_id, service_id=line.service_id, end=group.end,
            authorization_id=member.authorization_id, caregiver_id=member.caregiver_id,
        ),
    )  # fmt: skip


def _need(groups: list[Group], verbs: Iterable[Intent], visits: Iterable[str] = ()) -> Need:
    """What deciding on groups, on verbs about members and on stored visits looks at."""
    need = need_of(list(verbs))
    of_verbs = need.spans
    need.visits |= set(visits)

    def looked_at(directory: Directory, stored: dict[str, Visit], now: int) -> list[SpanOf]:
        found = [
            *of_verbs(directory, stored, now),
            *(span for group in groups for span in spans(directory, group)),
        ]
        for visit in stored.values():
            found += spans(directory, visit)
            found += [(visit.patient_id, group.start, group.end) for group in groups]
            found += [
                (line.caregiver_id, group.start, group.end)
                for line in visit.lines
                if line.caregiver_id
                for group in groups
            ]
        return found

    of_verbs_dates = need.dates

    def counted(directory: Directory, stored: dict[str, Visit], now: int) -> list[DatesOf]:
        found = list(of_verbs_dates(directory, stored, now))
        for visit in stored.values():
            found += [each for group in groups for each in dates_of(directory, visit, group.start)]
        return found

    need.dates = counted
    need.spans = looked_at
    return need


def _wish(group: Group, room: Literal["given", "kept", "chosen"], overlap_reason: str | None) -> Wish:
    return Wish(visit=group, room=room, overlap=overlap_reason is not None)


def _placed(
    desk: Desk, asked: Asked, group: Group, wish: Wish, *, by_hand: str | None, stays: bool = False
) -> list[HeldClaim]:
    """The claims of a group that is granted, which knows its room then. `by_hand`: the room that somebody chose. Raises Refused with every reason otherwise."""
    wish.now, wish.in_full = desk.now, True
    wish.earliest = group.start if stays else earliest_start(desk.settings, desk.now, asked)
    verdict = assess(desk.directory, desk.timetable, None, (), wish)
    if verdict.reasons:
        first = verdict.reasons[0]
        raise Refused(first.code, first.detail, reasons=tuple(verdict.reasons), **first.members)
    manual = verdict.room is not None and verdict.room.room.id == by_hand
    settle_room(desk.directory, group, verdict, manual=manual)
    desk.put_grounds(group)
    group.group = Membership(
        group.start,
        group.end,
        group.lines[0].practitioner_id,
        group.room_id,
        group.members_max,
        group.turnover_minutes,
    )
    claims = desk.claims_for(group, verdict)
    return [(resource, claim._replace(kind=_KIND_OF[claim.kind])) for resource, claim in claims]


def _joined(turn: Turn, desk: Desk, asked: Asked, books: list[Book], view: View) -> list[bytes]:
    """The first members, each beside those before."""

    def joined(book: Book) -> bytes:
        return view(book.decide(desk, asked), desk.directory, asked, desk.patient(book.patient))

    named = enumerate(books)
    return _each(turn, [({"patient_id": b.patient}, f"members[{n}].", partial(joined, b)) for n, b in named])


def _moved(
    turn: Turn, desk: Desk, asked: Asked, group: Group, visits: list[Visit], fields: set[str], view: View
) -> list[bytes]:
    """The members where the group is now."""

    def moved(before: Visit) -> bytes:
        if not fields <= MOVABLE[before.status]:
            what = ", ".join(sorted(fields - MOVABLE[before.status]))
            raise Refused(
                "illegal_transition", f"A visit that is {before.status} cannot change {what}.",
                allowed=sorted(TRANSITIONS[before.status]), status_now=before.status,
            )  # fmt: skip
        visit = copied(before)
        if (before.start, before.end) != (group.start, group.end) and before.status == "confirmed":
            visit.status = "scheduled"
        visit.room_id, visit.group = group.room_id, group.group
        visit.start, visit.end = group.start, group.end
        for line in visit.lines:
            line.start, line.end = group.start, group.end
            line.practitioner_id = group.lines[0].practitioner_id
        held, new = place_anew(desk, asked, before, visit, kept_wish(desk.directory, visit, before))
        desk.put(asked, "appointment.moved", visit, before, gone=held, new=new)
        return view(visit, desk.directory, asked, None)

    return _each(turn, [({"appointment_id": each.id}, "", partial(moved, each)) for each in visits])


def _each(turn: Turn, verbs: Iterable[tuple[dict[str, str], str, Callable[[], bytes]]]) -> list[bytes]:
    """What becomes of each member, as it is told: who it is, what the request calls them, and the verb. Raises Refused
    (group_conflict) naming everyone who is refused; NotFound, Invalid."""
    shown, bad = [], []
    for who, field, verb in verbs:
        try:
            shown.append(verb())
        except Refused as refused:
            if refused.code == "forbidden":
                raise
            bad.append(who | {"code": refused.code, "reasons": reasons_told(refused)})
        except NotFound as missing:
            raise NotFound(f"{field}{missing.field}") from None
        except Invalid as invalid:
            raise invalid.under(field) from None
    if bad:
        which = "One member cannot be" if len(bad) == 1 else f"{len(bad)} members cannot be"
        raise Refused(
            "group_conflict", f"{which} as the group shall be; nothing was changed.", members=bad,
            alternatives={"rooms": [], "slots": []}, as_of_seq=turn.seq_before,
        )  # fmt: skip
    return shown


async def _directory(house: House, turn: Turn) -> Directory:
    known_before = house.directories.get(turn.organization)
    found = await gather(turn.connection, turn.organization, "facts", Need(), known_before, Timetable(-1))
    return found.directory


def _check_believed(directory: Directory, group: Group, believed: Book) -> None:
    """Raises Invalid naming what is another's than the group's; NotFound."""
    believed.location = believed.location or group.location
    visit = believed.wished(directory, None, 0)
    (line,), (its,) = visit.lines, group.lines
    for name, ours, theirs in (
        ("clinic_id", visit.clinic_id, group.clinic_id),
        ("practitioner_id", line.practitioner_id, its.practitioner_id),
        ("service_id", line.service_id, its.service_id),
        ("start", visit.start, group.start),
        ("end", visit.end if believed.first.end or believed.first.duration_minutes else group.end, group.end),
        ("location", visit.location, group.location),
        ("room_id", visit.room_id or group.room_id, group.room_id),
    ):
        if ours != theirs:
            raise Invalid(FieldError(name, "invalid_value", "is not the group's"))


async def _current(turn: Turn, asked: Asked, group_id: str, field: str = "id") -> Group:
    """The group that is to be changed. Raises NotFound; Refused (forbidden, version_mismatch, group_cancelled)."""
    row = await turn.connection.fetchrow(statement("group_get"), turn.organization, group_id)
    if row is None:
        raise NotFound(field)
    group = of_document(row["document"])
    check_own(asked.actor, group.lines[0].practitioner_id)
    if asked.if_match not in {None, group.version}:
        raise Refused("version_mismatch", f"This is version {group.version} by now.", version=group.version)
    if group.status == "cancelled":
        raise Refused("group_cancelled", "The group is cancelled.", version=group.version)
    return group


async def _members(connection: Connection, organization: str, group_id: str) -> list[Any]:
    return list(await connection.fetch(statement("group_members"), organization, group_id))


async def _insert(turn: Turn, group: Group) -> None:
    (line,) = group.lines
    await turn.connection.execute(
        statement("group_insert"), turn.organization, group.id, group.clinic_id, line.service_id, line.practitioner_id,
        group.room_id, moment(group.start), moment(group.end), group.members_min, group.members_max, group.location,
        line.travel_before_minutes, line.buffer_minutes, group.turnover_minutes, group.method, group.policy_version,
        group.score, group.rules_applied, moment(turn.now), group.created_by, *decided(group),
    )  # fmt: skip


async def _keep(turn: Turn, group: Group) -> None:
    (line,) = group.lines
    await turn.connection.execute(
        statement("group_move"), turn.organization, group.id, line.practitioner_id, group.room_id, moment(group.start),
        moment(group.end), group.version, moment(turn.now), line.travel_before_minutes, line.buffer_minutes,
        group.turnover_minutes, group.method, group.policy_version, group.score, group.rules_applied, *decided(group),
    )  # fmt: skip


def _answered(turn: Turn, status: int, group: Group, shown: list[bytes], members_count: int) -> Answered:
    """The group as the API shows it, with the visits that were put down. Nobody sees to one that is over."""
    is_ahead = group.status == "scheduled" and group.end > turn.now
    is_below = is_ahead and members_count < group.members_min
    content = msgspec.json.encode(
        group_body(group)
        | {
            "members_count": members_count,
            "needs_action": "below_minimum" if is_below else None,
            "members": [msgspec.Raw(each) for each in shown],
        }
    )
    return Answered(status=status, content=content, version=group.version)
