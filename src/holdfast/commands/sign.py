"""Sign a session, and amend one that is signed. Signing completes the visit if that has not been done, fixes the line's
minutes and uses its units, all in one turn; it is never refused for lack of units. Nothing that was signed is written over.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from holdfast.actor import Answered, Asked
from holdfast.commands.batch import need_of
from holdfast.commands.change import Turn, change
from holdfast.commands.claims_kept import HeldClaim
from holdfast.commands.desk import Desk
from holdfast.commands.house import House
from holdfast.commands.intent import copied
from holdfast.commands.lines_of import the_line
from holdfast.commands.save import Document, answered
from holdfast.commands.sessions import (
    WORDS,
    check_words,
    current,
    own,
    sealed,
    signed_already,
    tell,
    version_context,
    words_of,
)
from holdfast.commands.transition import Transition
from holdfast.commands.turn_desk import turn_desk
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules.facts import Line, Visit
from holdfast.rules.usage import use, why_unfunded
from holdfast.slot import local_date, moment, rfc3339
from holdfast.vault import Seal

Day = dict[str, list[Visit]]
"""By visit the others of its patient and local date that have a signed line."""


async def sign(house: House, asked: Asked, session_id: str, minutes_actual: int | None) -> Answered:
    """200 with the signed session. `minutes_actual`: what its line really took, if it is not what the visit says.

    Raises NotFound; Invalid when nothing is written; Refused (session_signed, visit_not_begun, illegal_transition,
    forbidden, version_mismatch).
    """

    async def work(turn: Turn) -> Answered:
        session = await own(turn, asked, session_id)
        if session["status"] == "signed":
            raise signed_already(session)
        check_words(session)
        desk, day = await opened(house, turn, [session["appointment_id"]])
        before = _visit(desk, session)
        line = the_line(before, session["line_no"])
        _check_may_be_signed(desk, session, before, line)
        visit = put_down(desk, asked, before, {line.line_no: minutes_actual}, day)
        line = the_line(visit, line.line_no)
        await keep(turn, asked, "session.signed", session, line, desk)
        return answered(200, await _as_it_is(turn, session_id, line))

    return await change(house, asked, work)


async def amend(
    house: House, asked: Asked, session_id: str, words: Document, minutes_actual: int | None, reason: str
) -> Answered:
    """200 with the session as it says now, a version more; other minutes adjust the units that are used. Raises NotFound;
    Invalid when nothing is left written; Refused (session_not_signed, version_mismatch)."""

    async def work(turn: Turn) -> Answered:
        session = await own(turn, asked, session_id)
        if session["status"] != "signed":
            raise Refused("session_not_signed", "The session is a draft: write over it, then sign it.")
        wanted = session | words
        check_words(wanted)
        minutes = session["minutes_actual"] if minutes_actual is None else minutes_actual
        if wanted == session and minutes == session["minutes_actual"]:
            raise Invalid(FieldError("body", "invalid_value", "says what the session says already"))
        desk, day = await opened(house, turn, [session["appointment_id"]])
        visit = _visit(desk, session)
        if minutes != session["minutes_actual"]:
            visit = put_down(desk, asked, visit, {session["line_no"]: minutes}, day)
        line = the_line(visit, session["line_no"])
        await keep(turn, asked, "session.amended", wanted, line, desk, reason)
        return answered(200, await _as_it_is(turn, session_id, line))

    return await change(house, asked, work)


async def opened(house: House, turn: Turn, visit_ids: Iterable[str]) -> tuple[Desk, Day]:
    """A desk on which lines of these visits can be signed, in an open turn."""
    wanted = list(visit_ids)
    rows = await turn.connection.fetch(statement("session_day"), turn.organization, wanted)
    pairs = [(str(row["appointment_id"]), str(row["other_id"])) for row in rows]
    need = need_of([_completion(visit_id) for visit_id in wanted])
    need.visits |= {other for _, other in pairs}
    desk = await turn_desk(house, turn, need)
    day: Day = {}
    for visit_id, other in pairs:
        stored = desk.stored(other)
        if other != visit_id and stored is not None:
            day.setdefault(visit_id, []).append(stored)
    return desk, day


def put_down(desk: Desk, asked: Asked, before: Visit, minutes: Mapping[int, int | None], day: Day) -> Visit:
    """Signs lines of a visit, or gives signed ones other minutes; then every line of the patient's day that is signed counts
    what its payer makes of the day as it is now. `minutes` by line; None: what the visit says. Raises NotFound; Refused
    (illegal_transition)."""
    left = {each.id: each.available_units for each in desk.authorizations}
    visit, gone, new = _completed(desk, before)
    for line_no, given in minutes.items():
        if given is not None:
            the_line(visit, line_no).minutes_actual = given
    signing = [line for line in visit.lines if line.line_no in minutes and line.line_status != "signed"]
    kind = "appointment.signed" if signing else "appointment.repriced"
    stays = {line.line_no for line in visit.lines}
    for line in before.lines:
        if line.line_no not in stays and line.authorization_id is not None:
            left[line.authorization_id] += line.units_reserved
    befores = day.get(visit.id, [])
    others = [copied(each) for each in befores]
    use(
        desk.directory, desk.patient(visit.patient_id), {each.id: each for each in desk.authorizations}, left,
        _date_of_service(desk, visit), visit, others, signing,
    )  # fmt: skip
    changed = [pair for pair in zip(befores, others, strict=True) if pair[0].lines != pair[1].lines]
    for was, other in changed:
        if _used(other) <= _used(was):
            desk.put(asked, "appointment.repriced", other, was)
    desk.put(asked, kind, visit, before, gone=gone, new=new, lines=sorted(minutes))
    for was, other in changed:
        if _used(other) > _used(was):
            desk.put(asked, "appointment.repriced", other, was)
    return visit


async def keep(
    turn: Turn, asked: Asked, kind: str, session: Document, line: Line, desk: Desk, reason: str = ""
) -> None:
    """Keeps the next version of a session, with what its line is when the turn commits."""
    session_id, version, number = session["id"], session["version"] + 1, session["versions"] + 1
    visit = _visit(desk, session)
    authorizations = {each.id: each for each in desk.authorizations}
    why = why_unfunded(desk.directory, authorizations, line, _date_of_service(desk, visit))
    await turn.connection.execute(
        statement("session_sign"), turn.organization, session_id, version, moment(turn.now)
    )
    await turn.connection.execute(
        statement("session_version_insert"), turn.organization, session_id, number,
        sealed(turn.seal, session, version_context(session_id, number)),
        turn.seal.seal(reason.encode(), amendment_context(session_id, number)) if reason else None,
        line.minutes_actual, line.units_used, line.unfunded_units, why, asked.actor.user_id, moment(turn.now),
    )  # fmt: skip
    units = {"units_used": line.units_used, "unfunded_units": line.unfunded_units, "unfunded_reason": why}
    tell(
        turn, asked, kind, session | {"status": "signed", "version": version},
        minutes_actual=line.minutes_actual, fields=[name for name in WORDS if session[name]], **units,
    )  # fmt: skip


async def _as_it_is(turn: Turn, session_id: str, line: Line) -> Document:
    """The session as it will be read once its line is written."""
    return await current(turn, session_id) | {
        "start": rfc3339(line.start), "end": rfc3339(line.end), "minutes_actual": line.minutes_actual,
        "units_used": line.units_used, "unfunded_units": line.unfunded_units,
    }  # fmt: skip


def version_shown(seal: Seal, session_id: str, stored: Document) -> Document:
    """A stored version as the API shows it."""
    version, number = dict(stored), stored["version_no"]
    content, reason = version.pop("content_encrypted"), version.pop("reason_encrypted")
    why = seal.open(bytes.fromhex(reason), amendment_context(session_id, number)).decode() if reason else None
    return version | {"reason": why} | words_of(seal, content, version_context(session_id, number))


def amendment_context(session_id: str, version_no: int) -> str:
    return f"session_versions.reason/{session_id}/{version_no}"


def _visit(desk: Desk, session: Document) -> Visit:
    visit = desk.stored(session["appointment_id"])
    if visit is None:
        raise NotFound("appointment_id")
    return visit


def _check_may_be_signed(desk: Desk, session: Document, visit: Visit, line: Line) -> None:
    """Raises Refused for a line that is another's now, has its signed session already, or has not begun."""
    if line.practitioner_id != session["practitioner_id"]:
        raise Refused("forbidden", "Somebody else gives this line of the visit now.")
    if line.line_status == "signed":
        raise Refused("session_signed", "This line of the visit has a signed session already.")
    if visit.status != "completed" and line.start >= desk.now:
        raise Refused(
            "visit_not_begun", "Nothing has been given yet that could be signed.", start=rfc3339(line.start)
        )


def _completion(visit_id: str) -> Transition:
    return Transition(id=visit_id, call="complete")


def _completed(desk: Desk, before: Visit) -> tuple[Visit, list[HeldClaim], list[HeldClaim]]:
    if before.status == "completed":
        return copied(before), [], []
    return _completion(before.id).completed(desk, before)


def _date_of_service(desk: Desk, visit: Visit) -> date:
    return local_date(visit.start, desk.directory.clinics[visit.clinic_id].time_zone)


def _used(visit: Visit) -> int:
    return sum(line.units_used or 0 for line in visit.lines)
