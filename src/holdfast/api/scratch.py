"""What the operator of the installation may do: make scratch organizations and delete them. There is no such path unless
the settings hold an operator token. The rules are in `commands/scratch.py`.
"""

from collections.abc import Mapping

from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.problems import Problem
from holdfast.api.setup import OrganizationNew
from holdfast.commands import scratch
from holdfast.commands.house import House
from holdfast.commands.organizations import Created


async def make(ask: Ask[NoFields, OrganizationNew]) -> Answer:
    _check_operator(ask.house, ask.headers)
    made = await scratch.make(ask.house, ask.body.new(), ask.deadline, ask.request_id)
    return Answer(made, status=201)


async def delete(ask: Ask[NoFields, None]) -> Answer:
    _check_operator(ask.house, ask.headers)
    await scratch.delete(ask.house, ask.id(), ask.request_id)
    return Answer(status=204)


def _check_operator(house: House, headers: Mapping[bytes, bytes]) -> None:
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not scratch.is_operator(house, token):
        raise Problem(
            "invalid_token", "The bearer token must be the operator's.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )  # fmt: skip


ROUTES = (
    Route(
        "POST", "/api/v1/operator/organizations", make, None, "Make a scratch organization (operator token)",
        body=OrganizationNew, answer=Created, status=201,
        refusals=("already_exists", "invalid_token", "not_found"), tag="operator",
    ),
    Route(
        "DELETE", "/api/v1/operator/organizations/{id}", delete, None,
        "Delete a scratch organization and everything in it (operator token)", status=204,
        refusals=("invalid_token", "not_found", "overloaded", "outcome_unknown"), tag="operator",
    ),
)  # fmt: skip
