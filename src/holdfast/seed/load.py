"""Loads an invented organization over the product's own road: nouns by their commands, visits by the booking
transaction. So every law holds of it, and its events and audit are those of real work. Decides nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import Any

import msgspec

from holdfast.actor import Answered, Asked
from holdfast.commands import absences, blocks, contacts, policies
from holdfast.commands.blocks import Recurs
from holdfast.commands.bodies import authorization_body
from holdfast.commands.book import Book
from holdfast.commands.change import Turn, change
from holdfast.commands.hold import PlaceHold
from holdfast.commands.house import House
from holdfast.commands.intent import Intent
from holdfast.commands.login_directory import claim
from holdfast.commands.organizations import NewOrganization, create_organization
from holdfast.commands.save import Document, add
from holdfast.commands.transaction import submit
from holdfast.commands.transition import Transition
from holdfast.db.statements import statement
from holdfast.errors import NotFound, Refused
from holdfast.rules.facts import Authorization, Directory, Patient, Visit
from holdfast.seed.house import asked_by
from holdfast.seed.world import SHAPES, Absence, Block, Login, Planned, World
from holdfast.slot import DAY, moment, rfc3339

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
    booked, refused = await _visits(house, asked, world.visits)
    for absence in world.absences:
        await _absence(house, asked, absence)
    refused.update(await _holds(house, asked, world.holds))
    for proposal in world.proposals:
        await policies.save(house, asked, "clinic", proposal.clinic_id, proposal.rules)
    await _logins(house, asked, world, password_hash)
    return Loaded(created.organization_id, booked, dict(refused))


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
    """What was consumed before this calendar begins: reserved and consumed by hand, as the ledger has it."""
    if not world.used_units:
        return
    known = world.by_id("authorization")

    async def work(turn: Turn) -> Answered:
        for authorization_id, used in world.used_units:
            await _use(turn, asked, known[authorization_id], used)
        return _done()

    await change(house, asked, work)


async def _use(turn: Turn, asked: Asked, authorization: Document, used: int) -> None:
    counters = {"used_units": 0, "scheduled_units": 0, "manual_units": 0}
    for version, kind in ((2, "reserve"), (3, "consume")):
        if kind == "reserve":
            counters |= {"scheduled_units": used, "manual_units": used}
        else:
            counters = {"used_units": used, "scheduled_units": 0, "manual_units": 0}
        after = Authorization(
            id=authorization["id"], patient_id=authorization["patient_id"], payer_id=authorization["payer_id"],
            service_codes=frozenset(authorization["service_codes"]), unit_basis=authorization["unit_basis"],
            total_units=authorization["total_units"], start_date=authorization["start_date"],
            end_date=authorization["end_date"], approval=authorization["approval"], version=version, used_units=counters["used_units"],
            scheduled_units=counters["scheduled_units"], manual_units=counters["manual_units"],
        )  # fmt: skip
        seq = turn.tell("authorization.changed", authorization_body(after))
        turn.note(asked, "authorization.changed", "authorization", after.id, kind=kind, units=used)
        await turn.connection.execute(
            statement("seed_units"), turn.organization, after.id, version, after.used_units, after.scheduled_units,
            after.manual_units, moment(turn.now), kind, used, seq, asked.actor.user_id,
        )  # fmt: skip


# Visits: many at once, so that the lanes carry them in batches


async def _visits(house: House, asked: Asked, visits: list[Planned]) -> tuple[int, Counter[str]]:
    """Books all in their order, then lets happen what happened to them, step by step."""
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
    return len(granted), refused


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
            await _login(turn, asked, login, world.chance.new_id(), world.email(login), password_hash)
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
