"""The people of the API's tests: organizations with a user of every role, and how they sign in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx2

from holdfast import ids
from holdfast.app import Application
from holdfast.commands import passwords
from holdfast.commands.login_directory import claim
from holdfast.commands.organizations import NewOrganization, create_organization
from holdfast.db.statements import statement
from holdfast.states import ROLES

PASSWORD = "a password that the tests know"


@lru_cache
def password_hash() -> str:
    """Of PASSWORD, made once for a run."""
    return passwords.hashed(PASSWORD)


@dataclass
class Organization:
    """An organization as the tests see it; ids of rows by name are added by the tests that make them."""

    id: str
    emails: dict[str, str]
    user_ids: dict[str, str]
    tokens: dict[str, str]
    practitioner_id: str
    patient_id: str
    made: dict[str, str] = field(default_factory=dict)


Client = Callable[..., httpx2.AsyncClient]


async def sign_in(client: Client, email: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    """The pair of tokens of a successful sign-in."""
    async with client(**more) as nobody:
        answer = await nobody.post("/api/v1/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    pair: dict[str, Any] = answer.json()
    return pair


@asynccontextmanager
async def writing(application: Application, organization: str) -> AsyncIterator[Any]:
    """A transaction of the organization as the server's own role."""
    assert application.house is not None
    async with application.house.database.writing(organization) as connection:
        yield connection


async def make_organization(application: Application, client: Client, word: str) -> Organization:
    """An organization whose every name and address contains `word`, with one user per role, signed in."""
    assert application.house is not None
    database, vault = application.house.database, application.house.vault
    domain = f"{word.lower()}.example"
    created = await create_organization(database, vault, NewOrganization(
        name=f"{word} Clinics", time_zone="America/Phoenix", admin_email=f"admin@{domain}",
        admin_name=f"{word} Admin", admin_password_hash=password_hash(),
        settings={"require_totp_for_admins": False},
    ))  # fmt: skip
    practitioner, patient = ids.new(), ids.new()
    organization = Organization(
        created.organization_id,
        {"admin": f"admin@{domain}"},
        {"admin": created.user_id},
        {},
        practitioner,
        patient,
    )
    async with writing(application, organization.id) as connection:
        await _insert_people(connection, organization, word)
    for role in ROLES[1:]:
        address, user = f"{role}@{domain}", ids.new()
        organization.emails[role], organization.user_ids[role] = address, user
        await claim(database, address, organization.id)
        async with writing(application, organization.id) as connection:
            await connection.execute(
                statement("user_insert"), organization.id, user, address, f"{word} {role}", password_hash(), role,
                practitioner if role == "practitioner" else None, patient if role == "patient" else None, None,
            )  # fmt: skip
    signed_in = await asyncio.gather(*(sign_in(client, organization.emails[role]) for role in ROLES))
    organization.tokens = {role: pair["access_token"] for role, pair in zip(ROLES, signed_in, strict=True)}
    return organization


async def _insert_people(connection: Any, organization: Organization, word: str) -> None:
    for kind, row in (("practitioner", organization.practitioner_id), ("patient", organization.patient_id)):
        await connection.execute(
            "insert into resources (organization_id, id, kind) values ($1, $2, $3)",
            organization.id,
            row,
            kind,
        )
        await connection.execute(
            "insert into resource_seats (organization_id, resource_id, seat, kind) values ($1, $2, 0, $3)",
            organization.id, row, kind,
        )  # fmt: skip
    await connection.execute(
        "insert into practitioners (organization_id, id, name) values ($1, $2, $3)",
        organization.id, organization.practitioner_id, f"{word} Therapist",
    )  # fmt: skip
    await connection.execute(
        "insert into patients (organization_id, id, given_name, family_name, search_name, birth_date)"
        " values ($1, $2, $3, 'Person', $4, '2015-05-05')",
        organization.id, organization.patient_id, word, f"person {word.lower()}",
    )  # fmt: skip
