"""Taking and giving back a block's time looks at the time asked for, not at all that a resource has."""

from typing import Any

import asyncpg
import pytest
from sql.calendar_fill import A_DAY, fill, organization
from sql.test_deciding_plans import Watched, nodes

from holdfast import ids
from holdfast.db.statements import statement
from holdfast.slot import moment


@pytest.mark.unpartitioned
@pytest.mark.parametrize("is_known", [False, True], ids=["counted when empty", "counted"])
async def test_a_block_finds_claims_by_their_keys(database: Any, is_known: bool) -> None:
    owner = await asyncpg.connect(database.admin_url)
    made = await organization(owner, patients=3000)
    await owner.execute("analyze")
    await fill(owner, made, 20 * A_DAY)
    if is_known:
        await owner.execute("analyze")
    await owner.close()
    watched = await Watched.open(database)
    block, whom = ids.new(), [*made.practitioners[:3], made.rooms[0]]
    span = (moment(made.middle + 3 * 3600), moment(made.middle + 4 * 3600))
    await watched.begin(made.organization)
    await watched.connection.execute(
        statement("block_save"), made.organization, block, "meeting", None, *span, None, 1, span[0], None
    )
    take = (statement("block_claims_take"), made.organization, whom, [1] * 4, *span, block)
    release = (statement("block_claims_release"), made.organization, whom, span[0], block)
    for _ in range(6):  # past the point where the driver's statement gets its one plan
        await watched.connection.fetch(*take)
        await watched.connection.execute(*release)
    await watched.listen(on=True)
    assert len(await watched.connection.fetch(*take)) == 4
    await watched.connection.execute(*release)
    await watched.connection.execute("rollback")
    plans = [plan for plan in watched.plans if "block" in plan["Query Text"].split("\n")[0]]
    found = [
        (node["Index Name"], "starts_at" in node["Index Cond"])
        for plan in plans
        for node in nodes(plan["Plan"])
        if node.get("Index Name", "").startswith("claims_")
    ]
    assert found == [("claims_pkey", True)] * 2
    await watched.close()
