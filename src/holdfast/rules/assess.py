"""Decide: may this visit take place as wished? Every reason against it is given at once, in the order of
`errors.REFUSALS`; if there is none, the room, the seats and the authorization are chosen.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from holdfast.errors import REFUSALS, Reason
from holdfast.rules import caps, hours, rooms, units
from holdfast.rules.facts import (
    Authorization,
    Clinic,
    Directory,
    Line,
    Patient,
    Payer,
    Practitioner,
    Room,
    Service,
    SpanOf,
    Visit,
)
from holdfast.rules.lines import (
    TURNOVER_MINUTES_MAX,
    busy_span,
    by_practitioner,
    caregivers,
    doubled,
    presence,
)
from holdfast.rules.policy.policy import in_force
from holdfast.rules.policy.program import Against
from holdfast.rules.policy.question import Question
from holdfast.rules.seats import Seating, seating
from holdfast.rules.timetable import Claim, Timetable
from holdfast.slot import DAY, MINUTE, Span, day_span, local_date, overlaps, union, units_to_reserve


class Wish(msgspec.Struct):
    """A visit as wished for, and what may be decided about it.

    `room`: "given" must be `visit.room_id`; "kept" is that one if it suits and is free, else the best; "chosen"
    is the best. `authorization` likewise, for those that the lines name; that of `line_new` is always "given".
    `now`: when it is asked. `earliest`: the earliest start that the caller may book. `unassigned`: may be booked without a room.
    `overlap`: may lie beside other visits of a practitioner who can have several at once.
    """

    visit: Visit
    room: Literal["given", "kept", "chosen"]
    now: int = 0
    earliest: int = 0
    unassigned: bool = False
    overlap: bool = False
    authorization: Literal["given", "kept"] = "given"
    line_new: int | None = None
    acknowledged: frozenset[str] = frozenset()
    """What the request says shall be so all the same: `units.ACKNOWLEDGE`, `caps.ACKNOWLEDGE`."""

    in_full: bool = False
    """Whether to tell how the room was chosen."""


class Conflict(msgspec.Struct, frozen=True):
    """A claim that is in the way."""

    kind: Literal["practitioner", "patient", "caregiver", "room"]
    resource_id: str
    claim: Claim


class Verdict(msgspec.Struct):
    """`reasons` empty: granted, with what was chosen; what is per line stands in the lines' order."""

    reasons: list[Reason]
    conflicts: list[Conflict]
    room: rooms.RoomChoice | None = None
    refused_rooms: list[rooms.RoomRefusal] = []
    account: rooms.Account | None = None
    practitioner_seatings: list[Seating] = []
    paid: list[units.Paid] = []


def spans(directory: Directory, visit: Visit) -> list[SpanOf]:
    """The time on resources that deciding about the visit looks at. Rooms: the visit's whole local day, since
    ties are broken by how many visits a room has that day. Resources of several seats: a day more on each side, for
    those who may change seats."""
    looked_at: list[SpanOf] = [(visit.patient_id, visit.start, visit.end)]
    if visit.group_id is not None:
        looked_at.append((visit.group_id, visit.start, visit.end))
    for line in visit.lines:
        if line.caregiver_id is not None:
            looked_at.append((line.caregiver_id, visit.start, visit.end))
        practitioner = directory.practitioners.get(line.practitioner_id)
        start, end = busy_span(line)
        around = DAY if practitioner is not None and practitioner.seats > 1 else 0
        looked_at.append((line.practitioner_id, start - around, end + around))
    clinic = directory.clinics.get(visit.clinic_id)
    if clinic is not None and in_force(directory).asks_practitioners_day:
        day = day_span(local_date(visit.start, clinic.time_zone), clinic.time_zone)
        looked_at += [(line.practitioner_id, *day) for line in visit.lines]
    if visit.location == "on_site" and clinic is not None:
        day = day_span(local_date(visit.start, clinic.time_zone), clinic.time_zone)
        low = min(day[0], visit.start)
        high = max(day[1], visit.end + TURNOVER_MINUTES_MAX * MINUTE)
        looked_at += [
            (room.id, low, high) if room.seats == 1 else (room.id, low - DAY, high + DAY)
            for room in directory.rooms_of[clinic.id]
        ]
    return looked_at


def assess(
    directory: Directory,
    timetable: Timetable,
    patient: Patient | None,
    authorizations: Iterable[Authorization],
    wish: Wish,
) -> Verdict:
    """Whether the wish can be granted on these facts. The visit's own claims must be out of the timetable.

    That of a group's member is asked as if it had the group's time alone: the group's claims must be out of it too.
    All ids of the visit must be known to the directory. Without a patient nothing is asked about the patient's
    time, needs and units: a slot for somebody.
    """
    visit = wish.visit
    clinic = directory.clinics[visit.clinic_id]
    verdict = Verdict(reasons=[], conflicts=[])
    _clinic_and_time(directory, clinic, wish, verdict)
    if patient is not None:
        _patient(timetable, patient, visit, verdict)
    if visit.group_id is not None:
        _group(timetable, visit, verdict)
    for line in visit.lines:
        _line(directory, clinic, wish, line, verdict)
    _practitioners_time(directory, timetable, wish, verdict)
    question = question_about(directory, clinic, patient, visit, wish.now)
    _rules(directory, timetable, question, verdict)
    _room(directory, timetable, question, wish, verdict)
    if patient is not None:
        _units(directory, clinic, patient, wish, list(authorizations), verdict)
    verdict.reasons.sort(key=lambda reason: REFUSALS.index(reason.code))
    return verdict


def _clinic_and_time(directory: Directory, clinic: Clinic, wish: Wish, verdict: Verdict) -> None:
    visit = wish.visit
    span = (visit.start, visit.end)
    if visit.location == "on_site":
        if hours.absences(directory, clinic.id, span):
            verdict.reasons.append(Reason("clinic_closed", f"{clinic.name} is closed at that time."))
        elif not hours.is_open(directory, clinic, span):
            verdict.reasons.append(Reason("clinic_closed", f"The visit lies outside {clinic.name}'s hours."))
    if visit.start < wish.earliest:
        verdict.reasons.append(Reason("start_in_past", "The visit would start in the past."))
    if not clinic.is_active:
        verdict.reasons.append(_inactive("clinic", clinic.id))


def _inactive(kind: str, resource_id: str) -> Reason:
    return Reason(
        "inactive_resource", f"The {kind} is not active.", {"kind": kind, "resource_id": resource_id}
    )


def _patient(timetable: Timetable, patient: Patient, visit: Visit, verdict: Verdict) -> None:
    if not patient.is_active:
        verdict.reasons.append(_inactive("patient", patient.id))
    claims = [claim for span in presence(visit) for claim in timetable.overlapping(patient.id, *span)]
    if claims:
        verdict.reasons.append(Reason("patient_conflict", "The patient has another visit at that time."))
        verdict.conflicts += [Conflict("patient", patient.id, claim) for claim in claims]
    for caregiver, spans_there in caregivers(visit).items():
        claims = [claim for span in spans_there for claim in timetable.overlapping(caregiver, *span)]
        if claims:
            why = "The caregiver is at another visit at that time."
            verdict.reasons.append(Reason("caregiver_conflict", why, {"caregiver_id": caregiver}))
            verdict.conflicts += [Conflict("caregiver", caregiver, claim) for claim in claims]


def _group(timetable: Timetable, visit: Visit, verdict: Verdict) -> None:
    most = visit.group.members_max if visit.group is not None else 0
    if timetable.free_seat(visit.group_id or "", visit.start, visit.end, most) is None:
        why = f"The group has {most} members, and that is as many as it may have."
        verdict.reasons.append(Reason("group_full", why, {"members": most, "members_max": most}))


def _line(directory: Directory, clinic: Clinic, wish: Wish, line: Line, verdict: Verdict) -> None:
    practitioner = directory.practitioners[line.practitioner_id]
    service = directory.services[line.service_id]
    if not practitioner.is_active:
        verdict.reasons.append(_inactive("practitioner", practitioner.id))
    if not service.is_active:
        verdict.reasons.append(_inactive("service", service.id))
    _hours(directory, practitioner, clinic, line, verdict)
    lacking = credential_fault(practitioner, service, clinic, wish.visit)
    if lacking is not None:
        verdict.reasons.append(lacking)


def _practitioners_time(directory: Directory, timetable: Timetable, wish: Wish, verdict: Verdict) -> None:
    """A seat of each line's practitioner. Lines of one practitioner that follow each other sit on one seat."""
    lines = wish.visit.lines
    if len(lines) == 1:  # nearly always
        found = _seat(directory, timetable, lines, busy_span(lines[0]), wish, verdict, may_move_others=True)
        verdict.practitioner_seatings = [] if found is None else [found]
        return
    for practitioner_id in doubled(lines):
        why = f"{directory.practitioners[practitioner_id].name} cannot give two lines at once."
        verdict.reasons.append(Reason("practitioner_conflict", why))
    seated: dict[int, Seating] = {}
    for own in by_practitioner(lines).values():
        runs = union(busy_span(line) for line in own)
        for run in runs:
            found = _seat(directory, timetable, own, run, wish, verdict, may_move_others=len(runs) == 1)
            if found is not None:
                seated |= {line.line_no: found for line in own if overlaps(busy_span(line), run)}
    verdict.practitioner_seatings = [seated[each.line_no] for each in lines if each.line_no in seated]


def _seat(
    directory: Directory,
    timetable: Timetable,
    own: list[Line],
    span: Span,
    wish: Wish,
    verdict: Verdict,
    *,
    may_move_others: bool,
) -> Seating | None:
    """A seat for a span of one practitioner's lines. Where there are several seats, a second visit beside another is not
    taken for granted."""
    practitioner = directory.practitioners[own[0].practitioner_id]
    start, end = span
    found = seating(timetable, practitioner.id, start, end, practitioner.seats)
    if found is not None and found.moved and not may_move_others:
        found = None  # two spans of one visit might each move the other's neighbours
    beside = (
        timetable.overlapping(practitioner.id, start, end) if found is None or practitioner.seats > 1 else []
    )
    if found is not None and (not beside or _shares(directory, own, wish)):
        return found
    why, members = f"{practitioner.name} is taken at that time.", {}
    if found is not None:
        why, members = (
            f"{practitioner.name} has another visit then; to overlap it takes a reason.",
            {"may_overlap": True},
        )
    verdict.reasons.append(Reason("practitioner_conflict", why, members))
    verdict.conflicts += [Conflict("practitioner", practitioner.id, claim) for claim in beside]
    return None


def _shares(directory: Directory, own: list[Line], wish: Wish) -> bool:
    return wish.overlap or all(directory.services[line.service_id].shares_practitioner for line in own)


def _hours(
    directory: Directory, practitioner: Practitioner, clinic: Clinic, line: Line, verdict: Verdict
) -> None:
    span = (line.start, line.end)
    why = None
    if practitioner.clinic_ids and clinic.id not in practitioner.clinic_ids:
        why = f"{practitioner.name} does not work at {clinic.name}."
    elif hours.absences(directory, practitioner.id, span):
        why = f"{practitioner.name} is away at that time."
    elif not hours.is_working(directory, practitioner, clinic, span):
        why = f"The visit lies outside {practitioner.name}'s hours."
    if why:
        verdict.reasons.append(Reason("practitioner_unavailable", why))


def credential_fault(
    practitioner: Practitioner, service: Service, clinic: Clinic, visit: Visit
) -> Reason | None:
    """Any one of the required credentials, valid on the local date of service, is enough."""
    if not service.required_credentials:
        return None
    on = local_date(visit.start, clinic.time_zone)
    held = [each for each in practitioner.credentials if each.code in service.required_credentials]
    if any(
        (each.valid_from is None or each.valid_from <= on) and (each.valid_to is None or on <= each.valid_to)
        for each in held
    ):
        return None
    required = " or ".join(sorted(service.required_credentials))
    if held:
        return Reason("credential_expired", f"{practitioner.name}'s {required} is not valid on {on}.")
    return Reason(
        "credential_missing", f"{service.code} needs {required}; {practitioner.name} has none of them."
    )


def question_about(
    directory: Directory, clinic: Clinic, patient: Patient | None, visit: Visit, now: int
) -> Question:
    """What is asked of rules and rooms for a visit: its first line's service counts."""
    here, service = directory.rooms_of[clinic.id], directory.services[visit.lines[0].service_id]
    return Question(clinic, here, service, patient, visit, now)


def _rules(directory: Directory, timetable: Timetable, question: Question, verdict: Verdict) -> None:
    """The hard rules that the visit breaks whatever its room: each practitioner is asked under the rules that hold for
    them."""
    policy = in_force(directory)
    broken: list[Against] = []
    for who in question.practitioner_ids:
        own = question.of(who)
        broken += [each for each in policy.program(own).against(own, timetable) if each not in broken]
    for against in broken:
        members = {"rule": against.rule, "rule_type": against.type, **against.members}
        verdict.reasons.append(Reason("rule_violation", against.reason, members))


def _room(
    directory: Directory, timetable: Timetable, question: Question, wish: Wish, verdict: Verdict
) -> None:
    visit = wish.visit
    if visit.location != "on_site":
        return
    wanted = directory.rooms[visit.room_id] if visit.room_id is not None and wish.room != "chosen" else None
    if wanted is not None and wanted.clinic_id != visit.clinic_id:
        why = f"Room {wanted.number} is in another clinic."
        verdict.reasons.append(Reason("room_unavailable", why, {"room_id": wanted.id}))
        return
    if wanted is not None:
        choice = _chosen(directory, timetable, (wanted,), question, wish, verdict)
        if isinstance(choice, rooms.RoomChoice):
            return
        if wish.room == "given":
            _room_refused(directory, timetable, wanted, question, choice, verdict)
            return
    choice = _chosen(directory, timetable, directory.rooms_of[visit.clinic_id], question, wish, verdict)
    if isinstance(choice, rooms.RoomChoice):
        return
    verdict.refused_rooms = choice
    if not wish.unassigned:
        listed = [{"room_id": r.room_id, "rule": r.rule, "reason": r.reason} for r in choice]
        verdict.reasons.append(
            Reason("no_room_available", "No room suits and is free at that time.", {"rooms": listed})
        )


def _chosen(
    directory: Directory,
    timetable: Timetable,
    among: tuple[Room, ...],
    question: Question,
    wish: Wish,
    verdict: Verdict,
) -> rooms.RoomChoice | list[rooms.RoomRefusal]:
    choice: rooms.RoomChoice | list[rooms.RoomRefusal]
    if wish.in_full:
        verdict.account = rooms.account(directory, timetable, among, question)
        choice = verdict.account.choice or verdict.account.refused
    else:
        choice = rooms.choose(directory, timetable, among, question)
    if isinstance(choice, rooms.RoomChoice):
        verdict.room = choice
    return choice


def _room_refused(
    directory: Directory,
    timetable: Timetable,
    room: Room,
    question: Question,
    refused: list[rooms.RoomRefusal],
    verdict: Verdict,
) -> None:
    verdict.refused_rooms = refused
    for refusal in refused:
        member = {"room_id": room.id, "rule": refusal.rule}
        is_rule = refusal.code == "rule_violation"
        sentence = f"Room {room.number} {refusal.reason}." if is_rule else refusal.reason
        verdict.reasons.append(Reason(refusal.code, sentence, member))
    if any(refusal.code == "room_conflict" for refusal in refused):
        by_rule = rooms.turnover_by_rule(directory, question)
        end = question.span[1] + rooms.turnover(room, question.service, by_rule) * MINUTE
        claims = timetable.overlapping(room.id, question.span[0], end)
        verdict.conflicts += [Conflict("room", room.id, claim) for claim in claims]


def _units(
    directory: Directory,
    clinic: Clinic,
    patient: Patient,
    wish: Wish,
    known: list[Authorization],
    verdict: Verdict,
) -> None:
    """What pays for each line, and how much of it. What a line takes, the next does not find."""
    billed: list[tuple[Line, Payer]] = []
    taken: list[caps.Taken] = []
    for line in wish.visit.lines:
        if not billed and _is_nobodys_bill(directory.services[line.service_id], patient, line):
            verdict.paid.append(units.NOTHING_TO_PAY if line.billable else units.NOT_BILLED)
            continue
        paid = _paid(directory, clinic, patient, wish, line, known) if line.billable else units.NOT_BILLED
        payer = directory.payers.get(paid.payer_id or "") if isinstance(paid, units.Paid) else None
        may_be: Reason | Literal["billable", "nonbillable"] = "billable"
        if billed and line.billable:
            may_be = _beside(directory, line, payer, billed)
        if may_be == "nonbillable":
            paid, payer = units.NOT_BILLED, None
        verdict.reasons += [each for each in (may_be, paid) if isinstance(each, Reason)]
        if payer is not None:
            billed.append((line, payer))
        chosen = units.NOTHING_TO_PAY if isinstance(paid, Reason) else paid
        if payer is not None and chosen.authorization is not None:
            code = directory.services[line.service_id].code
            on = local_date(wish.visit.start, clinic.time_zone)
            beyond = caps.fault(
                patient.counted, taken, chosen.authorization, payer, code, on, chosen.units,
                is_acknowledged=caps.ACKNOWLEDGE in wish.acknowledged,
            )  # fmt: skip
            if beyond is not None:
                verdict.reasons.append(beyond)
            taken.append((payer.id, code, chosen.units))
            at = known.index(chosen.authorization)
            held = chosen.authorization.scheduled_units + chosen.units
            known[at] = msgspec.structs.replace(chosen.authorization, scheduled_units=held)
        verdict.paid.append(chosen)


def _is_nobodys_bill(service: Service, patient: Patient, line: Line) -> bool:
    """Whether it is plain that no authorization is asked for."""
    return (
        line.authorization_id is None
        and not service.authorization_required
        and (patient.stored_constraints is None or not patient.constraints.coverages)
    )


def _beside(
    directory: Directory, line: Line, own: Payer | None, billed: list[tuple[Line, Payer]]
) -> Reason | Literal["billable", "nonbillable"]:
    """Whether a line can be billed beside those before it that it overlaps. What one payer does not allow, a pair of two
    payers is not allowed."""
    code = directory.services[line.service_id].code
    for other, payer in billed:
        if not overlaps((line.start, line.end), (other.start, other.end)):
            continue
        pair = frozenset((code, directory.services[other.service_id].code))
        against = [
            each
            for each in (payer, own)
            if each is not None and each.concurrent_policy != "allow" and pair not in each.concurrent_pairs
        ]
        if any(each.concurrent_policy == "deny" for each in against):
            names = " and ".join(sorted(pair)) if len(pair) > 1 else f"two of {code}"
            return Reason(
                "concurrent_not_allowed",
                f"{against[0].name} does not pay for {names} at the same time.",
                {"line_no": line.line_no, "beside_line_no": other.line_no, "payer_id": against[0].id},
            )
        if against:
            return "nonbillable"
    return "billable"


def _paid(
    directory: Directory, clinic: Clinic, patient: Patient, wish: Wish, line: Line, known: list[Authorization]
) -> units.Paid | Reason:
    """How a line is paid for, or why it is not. What was unfunded before may stay so."""
    service = directory.services[line.service_id]
    minutes = (line.end - line.start) // MINUTE
    needed = units_to_reserve(minutes, service.unit_basis, service.unit_minutes)
    on = local_date(wish.visit.start, clinic.time_zone)
    coverages = patient.constraints.coverages
    if line.authorization_id is None and not units.is_required(service, coverages, directory.payers, on):
        return units.NOTHING_TO_PAY

    def asked(wanted: str | None, *, is_acknowledged: bool) -> units.Paid | Reason:
        found = units.pay(
            known, service, on, needed, directory.payers, wanted=wanted, coverages=coverages,
            is_acknowledged=is_acknowledged,
        )  # fmt: skip
        is_whole = isinstance(found, units.Paid) and not found.unfunded
        if is_whole or wanted is None or wish.authorization != "kept" or line.line_no == wish.line_new:
            return found
        return asked(None, is_acknowledged=is_acknowledged)

    has_word = units.ACKNOWLEDGE in wish.acknowledged
    paid = asked(line.authorization_id, is_acknowledged=has_word)
    if isinstance(paid, Reason) and line.funding is not None and not has_word:
        as_before = asked(line.authorization_id, is_acknowledged=True)
        if isinstance(as_before, units.Paid) and as_before.unfunded <= line.unfunded_units:
            return as_before
    return paid
