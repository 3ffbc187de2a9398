"""Every constraint of the catalog has its code and sentence in errors.py, and none is there that is not one."""

from typing import Any

import asyncpg
import pytest

from holdfast.api.problems import STATUS
from holdfast.errors import CONSTRAINTS, constraint

NAMES = """
    select k.conname
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where c.relnamespace = 'public'::regnamespace and not c.relispartition and k.conparentid = 0
      and k.contype in ('c', 'f', 'p', 'u', 'x')
"""


async def names(url: str, *before: str) -> set[str]:
    connection = await asyncpg.connect(url)
    for statement in before:
        await connection.execute(statement)
    found = {row["conname"] for row in await connection.fetch(NAMES)}
    await connection.close()
    return found


async def test_every_constraint_is_said(database: Any) -> None:
    unsaid = await names(database.admin_url) - set(CONSTRAINTS)
    assert not unsaid, sorted(unsaid)


async def test_nothing_is_said_that_is_no_constraint(database: Any) -> None:
    unknown = set(CONSTRAINTS) - await names(database.admin_url)
    assert not unknown, sorted(unknown)


async def test_a_planted_constraint_is_seen(database: Any) -> None:
    planted = "alter table rooms add constraint rooms_planted check (capacity < 2000)"
    dropped = "alter table rooms drop constraint rooms_color_shape"
    found = await names(database.admin_url, planted, dropped)
    assert "rooms_planted" in found - set(CONSTRAINTS)
    assert "rooms_color_shape" in set(CONSTRAINTS) - found


def test_every_entry_has_a_known_code_and_a_sentence() -> None:
    for name, entry in CONSTRAINTS.items():
        assert entry.code in STATUS, name
        assert entry.sentence[0].isupper(), name
        assert entry.sentence.endswith("."), name


@pytest.mark.parametrize("suffix", ["_p3", "_1", "_102008", "_p0_1"])
def test_the_suffix_of_a_shard_changes_nothing(suffix: str) -> None:
    for name, entry in CONSTRAINTS.items():
        assert constraint(name + suffix) is entry


def test_an_unknown_name_is_nobody() -> None:
    assert constraint("things_planted_p3") is None
