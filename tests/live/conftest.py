"""One server process on a socket, and a world in it."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from api.people import Client, make_organization
from live.listening import Process, World, asking, make_world, served

from holdfast.settings import Settings


@pytest.fixture
async def process(settings: Settings) -> AsyncIterator[Process]:
    process = Process(settings)
    async with process.running():
        yield process


@pytest.fixture
async def port(process: Process) -> AsyncIterator[int]:
    async with served(process) as port:
        yield port


@pytest.fixture
def client(process: Process) -> Client:
    return asking(process)


@pytest.fixture
async def world(process: Process, client: Client, settings: Settings) -> World:
    organization = await make_organization(process, client, "Juniper")
    return await make_world(settings.database_admin_url, organization)


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[Any]:
    """A connection of the tables' owner."""
    connection = await asyncpg.connect(settings.database_admin_url)
    yield connection
    await connection.close()
