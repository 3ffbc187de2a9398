"""The rows that Python sends are what SQL expects, field by field: a tuple knows its fields by their place only."""

from typing import Any

import asyncpg
import pytest

from holdfast.db import written

SHAPES = {
    name: shape
    for name, shape in vars(written).items()
    if isinstance(shape, type) and hasattr(shape, "_fields")
}
ATTRIBUTES = """
select t.typname, array_agg(a.attname::text order by a.attnum)
from pg_type t
join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
where t.typnamespace = 'public'::regnamespace
group by t.typname
"""


def snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")


@pytest.mark.unpartitioned
async def test_each_row_has_the_fields_of_its_type(database: Any) -> None:
    connection = await asyncpg.connect(database.admin_url)
    stored = {name: tuple(fields) for name, fields in await connection.fetch(ATTRIBUTES)}
    await connection.close()
    assert {snake(name): shape._fields for name, shape in SHAPES.items()} == stored
    assert len(stored) == 16
