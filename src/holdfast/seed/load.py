"""Loads an invented organization over the product's own road: nouns by their commands, visits by the booking
transaction. So every law holds of it, and its events and audit are those of real work. Decides nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from datetime import date
from typing import Any

import msgspec

from holdfast.actor import Answered, Asked
from holdfast.commands import absences, blocks, break_glass, contacts, groups, policies
from holdfast.commands.book import Book
from holdfast.commands.book_series import BookSeries, every_date
from holdfast.commands.change import Turn, change
from holdfast.commands.group import Group, of_document
from holdfast.commands.groups import NewGroup
from holdfast.commands.hold import PlaceHold
from holdfast.commands.house import House
from holdfast.commands.intent import Intent
from holdfast.commands.line_wish import LineWish
from holdfast.commands.login_directory import claim
from holdfast.commands.organizations import NewOrganization, create_organization
from holdfast.commands.save import Document, add
from holdfast.commands.transaction import submit
from holdfast.commands.transition import Transition
from holdfast.commands.units_by_hand import ByHand, Kind
from holdfast.db.statements import statement
from holdfast.errors import NotFound, Refused
from holdfast.rules.facts import Directory, Patient, Visit
from holdfast.rules.recurrence import Recurs
from holdfast.seed.house import asked_by
from holdfast.seed.noted import noted
from holdfast.seed.world import SHAPES, Absence, Block, Gathering, Login, Planned, World
from holdfast.slot import DAY, rfc3339

_DOCUMENTS_PER_TURN = 100
"""A turn must end within the server role's own time limit."""
_HOLD_SECONDS = DAY
"""Longer than a request may ask for: who looks around in the demo finds it for a day."""


class Loaded(msgspec.Struct, frozen=True):
    """`refused`: how many visits were not granted, by their first reason."""

    organization_id: str
    booked: int
    refused: dict[str, int]


async def load(house: House, world: World, password_hash: str) -> Loaded:
    """The organization with everything in it; every login has the same password. The logins beside the admin's come
    last: where they are, all else is. Raises Refused (already_exists) for an address that signs in already."""
    admin = world.logins[0]
    created = await create_organization(
        house.database, house.vault,
        NewOrganization(
            name=world.name, time_zone=world.time_zone, admin_email=world.email(admin), admin_name=admin.name,
            admin_password_hash=password_hash, settings={"require_totp_for_admins": False},
        ),
    )  # fmt: skip
    asked = asked_by(created.organization_id, created.user_id, world.email(admin))
    for at in range(0, len(world.documents), _DOCUMENTS_PER_TURN):
        await _documents(house, asked, world.documents[at : at + _DOCUMENTS_PER_TURN])
    await _used_units(house, asked, world)
    for block in world.blocks:
        await _block(house, asked, block)
    await _gather(house, asked, world.visits)
    booked, refused = await _visits(house, asked, world.visits)
    await noted(house, asked, world, booked)
    for absence in world.absences:
        await _absence(house, asked, absence)
    refused.update(await _holds(house, asked, world.holds))
    refused.update(await _series(house, asked, world.series))
    for proposal in world.proposals:
        await policies.save(house, asked, "clinic", proposal.clinic_id, proposal.rules)
    await _logins(house, asked, world, password_hash)
    return Loaded(created.organization_id, len(booked), dict(refused))


async def _documents(house: House, asked: Asked, documents: list[tuple[str, Document]]) -> None:
    async def work(turn: Turn) -> Answered:
        for kind, document in documents:
            noun, _, _ = SHAPES[kind]
            if noun is contacts.CONTACT:
                await contacts.added(turn, asked, document, document["id"])
            else:
                await add(turn, asked, noun, document, document["id"])
        return _done()

    await change(house, asked, work)


def _done() -> Answered:
    return Answered(status=201, content=b"")


async def _used_units(house: House, asked: Asked, world: World) -> None:
    """What was consumed before this calendar begins: reserved and consumed by hand."""
    known = world.by_id("authorization") if world.used_units else {}
    calls: tuple[Kind, ...] = ("reserve", "consume")
    for call in calls:
        wishes = [
            ByHand(id=each, kind=call, units=used, on=date.fromisoformat(known[each]["start_date"]))
            for each, used in world.used_units
        ]
        for outcome in await _together(submit(house, asked, wish, _id) for wish in wishes):
            if isinstance(outcome, Refused):
                raise outcome


async def _gather(house: House, asked: Asked, visits: list[Planned]) -> None:
    """Makes the groups of which there are visits, whose bookings then name them."""
    made: dict[Gathering, Group] = {}
    for planned in visits:
        wanted = planned.gathering
        if wanted is None:
            continue
        if wanted not in made:
            line = LineWish(
                practitioner_id=wanted.practitioner_id, service_id=wanted.service_id, end=wanted.end
            )
            new = NewGroup(
                clinic_id=wanted.clinic_id, line=line, start=wanted.start, members_min=wanted.members_min,
                members_max=wanted.members_max,
            )  # fmt: skip
            made[wanted] = of_document((await groups.create(house, asked, new, _unseen)).content)
        group, book = made[wanted], planned.book
        book.room_id, book.group_id, book.group = group.room_id, group.id, group.group


# Visits: many at once, so that the lanes carry them in batches


async def _visits(
    house: House, asked: Asked, visits: list[Planned]
) -> tuple[list[tuple[str, Planned]], Counter[str]]:
    """Books all in their order, then lets happen what happened to them, step by step. Those that were booked, by id, and why
    others were not."""
    outcomes = await _together(submit(house, asked, planned.book, _id) for planned in visits)
    granted = {n: outcome for n, outcome in enumerate(outcomes) if isinstance(outcome, str)}
    refused = Counter(outcome.code for outcome in outcomes if isinstance(outcome, Refused))
    for round_no in range(max((len(planned.steps) for planned in visits), default=0)):
        outcomes = await _together(
            submit(house, asked, _intent(visits[n], round_no, visit_id), _id)
            for n, visit_id in granted.items()
            if len(visits[n].steps) > round_no
        )
        refused.update(outcome.code for outcome in outcomes if isinstance(outcome, Refused))
    return [(visit_id, visits[n]) for n, visit_id in granted.items()], refused


async def _together(requests: Iterable[Awaitable[Answered]]) -> list[str | Refused]:
    """Ids of visits, or why not. Raises whatever is no refusal."""
    outcomes: list[str | Refused] = []
    for outcome in await asyncio.gather(*requests, return_exceptions=True):
        if isinstance(outcome, Answered):
            outcomes.append(outcome.content.decode())
        elif isinstance(outcome, Refused):
            outcomes.append(outcome)
        else:
            raise outcome
    return outcomes


def _id(visit: Visit, _directory: Directory, _asked: Asked, _patient: Patient | None) -> bytes:
    return visit.id.encode()


def _intent(planned: Planned, round_no: int, visit_id: str) -> Intent:
    step = planned.steps[round_no]
    return Transition(id=visit_id, call=step.call, at=step.at, **step.fields)


async def _holds(house: House, asked: Asked, held: list[Book]) -> Counter[str]:
    """Time that is kept for bookings to come: of those that were not granted, why."""
    outcomes = await _together(
        submit(house, asked, PlaceHold(booking=booking, ttl_seconds=_HOLD_SECONDS), _id) for booking in held
    )
    return Counter(outcome.code for outcome in outcomes if isinstance(outcome, Refused))


async def _series(house: House, asked: Asked, wanted: list[tuple[Book, str]]) -> Counter[str]:
    """What was not granted at all, by why."""
    outcomes = await _together(
        submit(house, asked, BookSeries(booking=every_date(book, Recurs(rule)), skip_conflicts=True), _unseen)
        for book, rule in wanted
    )
    return Counter(outcome.code for outcome in outcomes if isinstance(outcome, Refused))


def _unseen(_visit: Visit, _directory: Directory, _asked: Asked, _patient: Patient | None) -> bytes:
    return b"null"


async def _block(house: House, asked: Asked, block: Block) -> None:
    fields = {
        "kind": block.kind, "practitioner_ids": list(block.practitioner_ids), "room_id": block.room_id,
        "label": block.label, "start": rfc3339(block.start), "end": rfc3339(block.end),
    }  # fmt: skip
    await blocks.record(house, asked, fields, Recurs(block.rrule))


async def _absence(house: House, asked: Asked, absence: Absence) -> None:
    span = (absence.start, absence.end)
    if absence.of == "clinic":
        await absences.close_clinic(house, asked, absence.id, span, absence.why)
    elif absence.of == "room":
        await absences.close_room(house, asked, absence.id, span, absence.why)
    else:
        await absences.take_time_off(house, asked, absence.id, span, absence.why)


async def _logins(house: House, asked: Asked, world: World, password_hash: str) -> None:
    organization = asked.actor.organization_id
    others = world.logins[1:]
    for login in others:
        await claim(house.database, world.email(login), organization)

    async def work(turn: Turn) -> Answered:
        for login in others:
            user, email, wish = world.chance.new_id(), world.email(login), world.asking
            await _login(turn, asked, login, user, email, password_hash)
            if wish is not None and wish.word == login.word:
                by = asked_by(organization, user, email)
                await break_glass.add_request(turn, by, wish.patient_id, wish.minutes, wish.justification)
        return _done()

    await change(house, asked, work)


async def _login(turn: Turn, asked: Asked, login: Login, user: str, email: str, password_hash: str) -> None:
    values: tuple[Any, ...] = (user, email, login.name, password_hash, login.role)
    await turn.connection.execute(
        statement("user_insert"),
        turn.organization,
        *values,
        login.practitioner_id,
        login.patient_id,
        login.contact_id,
    )
    turn.tell("user.created", {"id": user, "role": login.role, "is_active": True})
    turn.note(asked, "user.created", "user", user, role=login.role)


async def loaded(house: House, world: World) -> str | None:
    """The id of the organization if it was loaded to its end before. What an earlier loading left that was broken
    off is put aside: its addresses are given back, and nobody can sign in to it any more."""
    addresses = [world.email(login) for login in world.logins]
    async with house.database.any() as connection:
        holder = await connection.fetchval(statement("login_find"), addresses[0])
        if holder is None:
            return None
    organization = str(holder)
    async with house.database.reading(organization) as connection:
        last = await connection.fetchrow(statement("user_for_sign_in"), organization, addresses[-1])
    if last is not None:
        return organization
    async with house.database.any() as connection:
        await connection.execute(statement("seed_put_aside"), organization, addresses)
    return None


async def directory(house: House, organization: str) -> Directory:
    """Raises NotFound."""
    async with house.database.reading(organization) as connection:
        document = await connection.fetchval(statement("directory"), organization)
    if document is None:
        raise NotFound("organization_id")
    return Directory.decode(document)
