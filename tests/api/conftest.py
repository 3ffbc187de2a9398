"""The whole application in this process, asked over ASGI, and two organizations to ask for."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from api.furnished import WORD, Furniture, asking, furnished, just_signed_in
from api.given import Given, make_given
from api.people import Client, Organization, make_organization
from api.practice import Practice, make_practice
from api.ward import Ward, make_ward
from databases import Databases

from holdfast.app import Application
from holdfast.db.engine import Engine
from holdfast.proof import invariants
from holdfast.settings import Settings


@pytest.fixture
async def application(settings: Settings) -> AsyncIterator[Application]:
    application = Application(settings)
    async with application.running():
        yield application


@pytest.fixture
def client(application: Application) -> Client:
    """Makes a client: `client()` of nobody, `client(token)` of a user; `address` is where it asks from."""
    return asking(application)


@pytest.fixture
def furniture(request: pytest.FixtureRequest, databases: Databases, engine: Engine) -> Furniture:
    """What stands in this test's database already, by what it asks for."""
    return furnished(databases, engine.home, request.fixturenames)


@pytest.fixture
def template(furniture: Furniture) -> str:
    return furniture.template


@pytest.fixture
async def organization(application: Application, client: Client, furniture: Furniture) -> Organization:
    if furniture.organization is None:
        return await make_organization(application, client, WORD)
    return just_signed_in(application, furniture.organization)


@pytest.fixture
async def stranger(application: Application, client: Client) -> Organization:
    """A foreign organization; CANARY is in each of its names and must appear in no answer to anyone else."""
    return await make_organization(application, client, "CANARY")


@pytest.fixture
async def practice(
    application: Application, client: Client, organization: Organization, furniture: Furniture
) -> AsyncIterator[Practice]:
    """A clinic that is ready to be booked; its admin is signed in."""
    async with client(organization.tokens["admin"]) as admin:
        if furniture.made is None:
            yield await make_practice(application, organization, admin)
        else:
            yield Practice(application, organization, admin, furniture.made)


@pytest.fixture
async def ward(practice: Practice, client: Client) -> Ward:
    return await make_ward(practice, client)


@pytest.fixture
async def given(practice: Practice, client: Client) -> AsyncIterator[Given]:
    """Sessions can be given; what a test leaves behind is whole."""
    given = await make_given(practice, client)
    yield given
    for each in given.clients.values():
        await each.aclose()
    assert practice.application.house is not None
    connection = await asyncpg.connect(practice.application.house.settings.database_admin_url)
    try:
        assert await invariants.broken(connection, practice.organization.id) == {}
    finally:
        await connection.close()
