"""A payer and its rules; found by name, or made, when an authorization names one."""

from typing import Any

from holdfast.actor import Asked
from holdfast.commands.change import Turn
from holdfast.commands.save import Document, Noun, add
from holdfast.db.statements import statement

PAYER = Noun("payer", "payers")


async def matched(turn: Turn, asked: Asked, name: str, otherwise: Document) -> str:
    """The id of the payer of that name, upper and lower case alike; a new one made of `otherwise` if there is none."""
    found: Any = await turn.connection.fetchval(statement("payer_named"), turn.organization, name)
    if found is not None:
        return str(found)
    made = await add(turn, asked, PAYER, otherwise)
    return str(made["id"])
