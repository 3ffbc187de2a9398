"""What holds of everything that is seeded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import httpx2
import pytest
from databases import TEMPLATE, Database, Databases, settings_of

from holdfast import seed
from holdfast.app import Application
from holdfast.db.engine import Engine
from holdfast.proof import invariants
from holdfast.settings import Settings

Told = list[str]


@pytest.fixture
def told() -> Told:
    """What a seeding says while it runs."""
    return []


@pytest.fixture
def seeded_demo() -> None:
    """The demo has been seeded already, once for the run: whoever seeds it finds it."""


@pytest.fixture
def template(request: pytest.FixtureRequest, databases: Databases, engine: Engine) -> str:
    if "seeded_demo" not in request.fixturenames:
        return TEMPLATE

    async def furnish(database: Database) -> str:
        await seed.seeded(settings_of(database, engine.home), "demo", 1, lambda _text: None)
        return ""

    databases.once("furnished_demo", TEMPLATE, furnish)
    return "furnished_demo"


async def broken(settings: Settings, *organizations: str) -> dict[str, Any]:
    """Broken rows by organization and invariant; empty when all hold."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        found = {each: await invariants.broken(connection, each) for each in organizations}
    finally:
        await connection.close()
    return {each: rows for each, rows in found.items() if rows}


@asynccontextmanager
async def signed_in(application: Application, user: seed.User) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(cast("Any", application))
    async with httpx2.AsyncClient(transport=transport, base_url="http://holdfast.test/api/v1/") as client:
        answer = await client.post("auth/login", json={"email": user.email, "password": user.password})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


async def every(client: httpx2.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, page after page."""
    items: list[dict[str, Any]] = []
    for page in range(1, 100):
        answer = await client.get(path, params={"page_size": 100, "page": page, **query})
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if page >= answer.json()["total_pages"]:
            break
    return items
