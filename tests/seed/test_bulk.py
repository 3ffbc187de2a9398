"""A large calendar written past the lanes leaves what booking every visit would have left."""

import time

import asyncpg
import pytest
from seed.conftest import broken

from holdfast import ids
from holdfast.errors import NotFound
from holdfast.seed import bulk
from holdfast.settings import Settings


async def test_every_invariant_holds_of_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_VISITS_PER_TRANSACTION", 700)
    now = int(time.time()) // 60 * 60
    made = await bulk.organization(settings, "test", 1, now, practitioners=7, patients=30)
    filled = await bulk.fill(settings.database_admin_url, made, 1500, now)
    assert (filled.visits, filled.first < filled.last) == (1500, True)
    assert not await broken(settings, made)
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        counted = await connection.fetch(
            "select status, count(*) from appointments where organization_id = $1 group by 1", made
        )
        entries = await connection.fetchval("select count(*) from authorization_entries")
        batches = await connection.fetchval("select count(*) from batches where organization_id = $1", made)
    finally:
        await connection.close()
    status = {row["status"]: row["count"] for row in counted}
    assert set(status) == {"scheduled", "completed", "cancelled", "no_show"}
    assert sum(status.values()) == 1500
    assert 650 < status["scheduled"] < 850, "half of them lie ahead"
    assert entries > 500
    assert batches >= 3
    with pytest.raises(bulk.BulkError, match="already"):
        await bulk.fill(settings.database_admin_url, made, 10, now)


async def test_what_cannot_be_filled_is_said(settings: Settings) -> None:
    now = int(time.time()) // 60 * 60
    with pytest.raises(NotFound):
        await bulk.fill(settings.database_admin_url, ids.new(), 10, now)
    made = await bulk.organization(settings, "narrow", 1, now, practitioners=2, patients=1)
    with pytest.raises(bulk.BulkError, match="patients"):
        await bulk.fill(settings.database_admin_url, made, 10, now)
    with pytest.raises(bulk.BulkError, match="more practitioners"):
        await bulk.fill(settings.database_admin_url, made, 10_000_000, now)
