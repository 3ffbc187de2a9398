"""The whole application in this process, asked over ASGI, and two organizations to ask for."""

from collections.abc import AsyncIterator, Iterator
from functools import lru_cache

import asyncpg
import pytest
from api import world
from api.furnished import WORDS, Furniture, asking, furnished, just_signed_in
from api.given import Given, make_given
from api.people import Client, Organization, make_organization
from api.practice import Practice, make_practice
from api.ward import Ward, make_ward
from databases import Databases

from holdfast.api import openapi
from holdfast.app import Application
from holdfast.db.engine import Engine
from holdfast.proof import invariants
from holdfast.settings import Settings


@pytest.fixture(scope="session", autouse=True)
def _described_once() -> Iterator[None]:
    """The description is a function of the routes, and half of what it takes to start an application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openapi, "describe", lru_cache(openapi.describe))
        yield


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
        return await make_organization(application, client, WORDS["organization"])
    return just_signed_in(application, furniture.organization)


@pytest.fixture
async def stranger(application: Application, client: Client, furniture: Furniture) -> Organization:
    """A foreign organization; CANARY is in each of its names and must appear in no answer to anyone else."""
    if furniture.stranger is None:
        return await make_organization(application, client, WORDS["stranger"])
    return just_signed_in(application, furniture.stranger)


@pytest.fixture
async def nouns(
    client: Client, organization: Organization, stranger: Organization
) -> tuple[Organization, Organization]:
    """The two organizations with one of every noun in each."""
    both = {"organization": organization, "stranger": stranger}
    for part, each in both.items():
        if not each.made:
            await world.make(client, each, WORDS[part])
    return organization, stranger


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
