"""A payer and its rules; found by name, or made, when an authorization names one."""

from collections.abc import Iterator
from typing import Any

from holdfast.actor import Asked
from holdfast.commands.change import Turn
from holdfast.commands.save import Document, Noun, add
from holdfast.db.statements import statement
from holdfast.errors import FieldError


def _faults(payer: Document) -> Iterator[FieldError]:
    codes = [cap["code"] for cap in payer["unit_caps"]]
    if len(set(codes)) < len(codes):
        yield FieldError("unit_caps", "invalid_value", "names a code twice")


PAYER = Noun("payer", "payers", faults=_faults)


async def matched(turn: Turn, asked: Asked, name: str, otherwise: Document) -> str:
    """The id of the payer of that name, upper and lower case alike; a new one made of `otherwise` if there is none."""
    found: Any = await turn.connection.fetchval(statement("payer_named"), turn.organization, name)
    if found is not None:
        return str(found)
    made = await add(turn, asked, PAYER, otherwise)
    return str(made["id"])
