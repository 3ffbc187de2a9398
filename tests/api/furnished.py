"""What nearly every test of the API begins with, made once for a run: the database in which an organization and its practice
stand already, by the same calls as ever. Each test has a copy of its own.
"""

import base64
import time
from collections.abc import Callable, Collection, Coroutine
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import httpx2
import msgspec
from api import world
from api.people import Client, Organization, make_organization
from api.practice import make_practice
from databases import TEMPLATE, Database, Databases, settings_of

from holdfast.app import Application
from holdfast.commands.tokens import Claims

WORDS = MappingProxyType({"organization": "Juniper", "stranger": "CANARY"})


class Furniture(msgspec.Struct, frozen=True):
    """What stands in a copy: the `template` of it, two organizations, and what the practice has made."""

    template: str
    organization: Organization | None = None
    stranger: Organization | None = None
    made: dict[str, str] | None = None


def asking(application: Application) -> Client:
    """Makes a client: `client()` of nobody, `client(token)` of a user; `address` is where it asks from."""

    def make(token: str = "", *, address: str = "127.0.0.1", **headers: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(cast("Any", application), client=(address, 12345))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx2.AsyncClient(transport=transport, base_url="http://holdfast.test", headers=headers)

    return make


def furnished(databases: Databases, home: Path, fixtures: Collection[str]) -> Furniture:
    """As much as a test that has these fixtures would make itself."""
    parts = [part for part in ("organization", "stranger", "practice", "nouns") if part in fixtures]
    if not parts:
        return Furniture(TEMPLATE)
    name = "_".join(["furnished", *parts])
    told = databases.once(name, TEMPLATE, _furnishing(name, home, parts))
    return msgspec.json.decode(told, type=Furniture)


def _furnishing(
    name: str, home: Path, parts: Collection[str]
) -> Callable[[Database], Coroutine[Any, Any, str]]:
    async def furnish(database: Database) -> str:
        application = Application(settings_of(database, home))
        async with application.running():
            client = asking(application)
            stands = {
                part: await make_organization(application, client, word)
                for part, word in WORDS.items()
                if part in parts
            }
            if "nouns" in parts:
                for part, organization in stands.items():
                    await world.make(client, organization, WORDS[part])
            made = await _practice(application, stands["organization"]) if "practice" in parts else None
        return msgspec.json.encode(Furniture(template=name, made=made, **stands)).decode()

    return furnish


async def _practice(application: Application, organization: Organization) -> dict[str, str]:
    async with asking(application)(organization.tokens["admin"]) as admin:
        return (await make_practice(application, organization, admin)).made


def just_signed_in(application: Application, organization: Organization) -> Organization:
    """With tokens of this moment for the same sessions: those of the furnishing may be over before the run is."""
    assert application.house is not None
    tokens, now = application.house.identity.tokens, int(time.time())
    for role, token in organization.tokens.items():
        said = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)), type=Claims)
        organization.tokens[role] = tokens.access(claims.org, claims.sub, claims.sid, claims.ver, now)
    return organization
