"""What holds of everything that is seeded."""

from typing import Any

import asyncpg
import pytest

from holdfast.proof import invariants
from holdfast.settings import Settings

Told = list[str]


@pytest.fixture
def told() -> Told:
    """What a seeding says while it runs."""
    return []


async def broken(settings: Settings, *organizations: str) -> dict[str, Any]:
    """Broken rows by organization and invariant; empty when all hold."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        found = {each: await invariants.broken(connection, each) for each in organizations}
    finally:
        await connection.close()
    return {each: rows for each, rows in found.items() if rows}
