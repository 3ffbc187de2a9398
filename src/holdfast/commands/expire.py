"""Ends the holds that have expired, in a change that takes time itself. Lanes do the same before each batch (`Desk.sweep`)."""

import msgspec

from holdfast.commands.bodies import hold_body
from holdfast.commands.change import Turn
from holdfast.db.statements import statement
from holdfast.rules.facts import Hold
from holdfast.slot import moment


async def end_expired(turn: Turn) -> None:
    """Their time is free, or an absence's that covers it."""
    rows = await turn.connection.fetch(statement("holds_expired"), turn.organization, moment(turn.now))
    holds = [msgspec.json.decode(row["document"], type=Hold) for row in rows]
    if not holds:
        return
    await turn.connection.execute(
        statement("holds_end_expired"), turn.organization, [hold.id for hold in holds], moment(turn.now)
    )
    for hold in holds:
        for claim in hold.claims:
            await turn.connection.execute(
                statement("fill_absences"), turn.organization, [claim.resource_id], moment(claim.start),
                moment(claim.end),
            )  # fmt: skip
        turn.tell("hold.expired", hold_body(hold))
