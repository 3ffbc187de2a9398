"""Invented organizations: the demo's clinics, and data for tests under load. The same number gives the same data.

What is loaded twice is found and not loaded again. Nothing here is used by the server.
"""

import asyncio
import base64
import time
from collections.abc import Callable
from datetime import timedelta

import msgspec

from holdfast import secrets
from holdfast.commands import passwords
from holdfast.commands.house import House
from holdfast.commands.organization import read_organization
from holdfast.seed import harbor, juniper, load, profiles
from holdfast.seed.house import opened
from holdfast.seed.world import World
from holdfast.settings import Settings
from holdfast.slot import DAY, instant, local_date, rfc3339, wall
from holdfast.vault import derive

Progress = Callable[[str], None]

_STALE_DAYS = 7
"""From then on the coming weeks look too empty: it is said, and the demo can be started afresh."""


class User(msgspec.Struct, frozen=True):
    email: str
    password: str
    role: str


class Example(msgspec.Struct, frozen=True):
    """A booking that a newcomer can try: nobody has taken that time unless they have."""

    clinic_id: str
    patient_id: str
    practitioner_id: str
    service_id: str
    start: str


class Seeded(msgspec.Struct, frozen=True):
    """`organization_id`, `clinic_ids` and `example` are the first organization's, whose users come first.
    `organization_ids`: of all, in order."""

    organization_id: str
    organization_ids: list[str]
    clinic_ids: list[str]
    users: list[User]
    example: Example | None


def example_body(example: Example) -> str:
    """The body of the example's request."""
    return msgspec.json.encode(example).decode()


def run(settings: Settings, profile: str, seed: int, progress: Progress) -> Seeded:
    """Loads what the profile names unless it is there: demo, small, medium, large or storm.

    `settings` carry the server's own URL and the secret, as `launch.prepared` fills them in.
    """
    return asyncio.run(seeded(settings, profile, seed, progress))


async def seeded(settings: Settings, profile: str, number: int, progress: Progress) -> Seeded:
    """`run` for whoever has an event loop."""
    now = int(time.time()) // 60 * 60
    worlds = _worlds(profile, number, now)
    password = demo_password(settings)
    async with opened(settings) as house:
        organizations = [await _one(house, world, password, progress) for world in worlds]
        clinic_ids, example = await _example(house, organizations[0], worlds[0], now)
    users = [
        User(world.email(login), password, login.role)
        for world in worlds
        for login in world.logins
    ]  # fmt: skip
    return Seeded(organizations[0], organizations, clinic_ids, users, example)


def _worlds(profile: str, number: int, now: int) -> list[World]:
    if profile == "demo":
        return [juniper.build(number, now), harbor.build(number, now)]
    return profiles.build(profile, number, now)


async def _one(house: House, world: World, password: str, progress: Progress) -> str:
    organization = await load.loaded(house, world)
    if organization is not None:
        found, _ = await read_organization(house, organization)
        days = (world.now - instant(found.created_at)) // DAY
        if days >= _STALE_DAYS:
            progress(f"{world.name} was invented {days} days ago: its visits lie around that day.")
        return organization
    progress(f"Inventing {world.name}: {len(world.all('patient'))} patients, {len(world.visits)} visits …")
    began = time.monotonic()
    password_hash = await asyncio.to_thread(passwords.hashed, password)
    made = await load.load(house, world, password_hash)
    refused = f", {sum(made.refused.values())} refused" if made.refused else ""
    progress(f"{world.name}: {made.booked} visits booked{refused} in {time.monotonic() - began:.1f} s.")
    return made.organization_id


def demo_password(settings: Settings) -> str:
    """The one password of all invented logins. It follows from the installation's secret: the same at every run,
    another on every installation, and stored nowhere."""
    digest = derive(secrets.load(settings), "holdfast demo password v1")
    letters = base64.b32encode(digest)[:12].decode().lower()
    return f"demo-{letters[:4]}-{letters[4:8]}-{letters[8:]}"


async def _example(
    house: House, organization: str, world: World, now: int
) -> tuple[list[str], Example | None]:
    """What can be booked without an authorization, four weeks ahead: later than anything that was invented."""
    found = await load.directory(house, organization)
    clinics = sorted(found.clinics.values(), key=lambda clinic: clinic.id)
    clinic, patient = clinics[0], world.all("patient")[0]["id"]
    for service in sorted(found.services.values(), key=lambda service: service.id):
        if service.authorization_required or "on_site" not in service.locations:
            continue
        for practitioner in sorted(found.practitioners.values(), key=lambda each: each.id):
            held, wanted = {each.code for each in practitioner.credentials}, service.required_credentials
            if clinic.id not in practitioner.clinic_ids or (wanted and not held & wanted):
                continue
            on = local_date(now, clinic.time_zone) + timedelta(days=24)
            on += timedelta(days=(7 - on.weekday()) % 7 if on.weekday() > 4 else 0)
            start = rfc3339(wall(on, 10 * 60, clinic.time_zone))
            example = Example(clinic.id, patient, practitioner.id, service.id, start)
            return [each.id for each in clinics], example
    return [each.id for each in clinics], None
