"""Tries one sabotage: a scratch database with what is wrong in it, two servers of the sabotaged build, the load, and then every
check of the proof. The sound build goes the same way, and nothing may be found.
"""

import asyncio
import json
import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from holdfast.db.database import Connection
from holdfast.proof import invariants, serving
from holdfast.proof.bench.run import PROFILE
from holdfast.proof.history import stored as history_stored
from holdfast.proof.history.check import check
from holdfast.proof.prove.client import Address, Client
from holdfast.proof.prove.organization import Organization, furnished, made
from holdfast.proof.sabotage import patching
from holdfast.proof.sabotage.catalog import Sabotage
from holdfast.proof.sabotage.load import FURNITURE, ROUNDS, SEED, Load, stranger
from holdfast.proof.statements import statement
from holdfast.proof.wire_proxy import Proxy, proxied
from holdfast.settings import Settings

DURABILITY: Final = "durability at start"
_SERVERS = 2
_BACK_SECONDS = 60.0


class Caught(msgspec.Struct, frozen=True, kw_only=True):
    """What turned red. `by`: the check ("invariant …", "history …", or the check of durability at a server's start); `finding`: the first
    thing that it found, and `count` of how many."""

    by: str
    finding: str
    count: int = 1


async def try_one(
    sabotage: Sabotage | None, settings: Settings, folder: Path, *, kills: bool = False
) -> list[Caught]:
    """Sabotages the database that `settings` name (a scratch one, migrated and empty; both URLs and the secret are given), runs
    the load on the sabotaged build, and says which checks turned red. None: the sound build, on which nothing may be found.

    `folder` is empty and takes what is written. `kills`: the database server, on this machine, is killed at the end, and must
    come back by itself. Raises PatchFailed, ServerFailed, LoadSaysNothing.
    """
    kills = kills or (sabotage is not None and sabotage.kills)
    source = None
    if sabotage is not None:
        source = await _sabotaged(sabotage, settings.database_admin_url, folder)
    token = secrets.token_hex(32)
    async with AsyncExitStack() as stack:
        proxies = [
            await stack.enter_async_context(proxied(_port(settings.database_url))) for _ in range(_SERVERS)
        ]
        servers = [
            await stack.enter_async_context(_server(folder / f"server-{n}", settings, proxy, token, source))
            for n, proxy in enumerate(proxies)
        ]
        for server in servers:
            await asyncio.to_thread(server.wait_until_answers, "/health/live")
            status, said = await asyncio.to_thread(serving.ask, server.port, "GET", "/health/ready")
            if status != 200 and "weak_durability" in json.loads(said).get("problems", ()):
                return [Caught(by=DURABILITY, finding=f"/health/ready: {said.decode()}")]
            await asyncio.to_thread(server.wait_until_answers, "/health/ready")
        clinic, admin_token = await asyncio.to_thread(_organizations, servers[0].port, token)
        load = Load(clinic, admin_token, servers, proxies, folder)
        await load.carry_out()
        if kills:
            await load.round(ROUNDS)
            await _killed(settings.database_admin_url)
    return await _looked(settings, clinic, load)


def _organizations(port: int, operator_token: str) -> tuple[Organization, str]:
    """The one that is tried, with its admin's token; and a neighbour, whose rows it must not see."""
    with Client(Address(host=serving.HOST, port=port), operator_token) as operator:
        made(operator, FURNITURE)
        clinic = furnished(made(operator, FURNITURE), SEED)
    with clinic.signed_in() as admin:
        return clinic, admin.token


async def _sabotaged(sabotage: Sabotage, admin_url: str, folder: Path) -> Path | None:
    """Does what is to be done to the database; returns the folder of the sabotaged source, if there is one."""
    texts = [statement(f"sabotage/{sabotage.sql}")] if sabotage.sql else []
    source = None
    if sabotage.patch:
        source = folder / "source"
        changed = await asyncio.to_thread(patching.sabotaged, sabotage.patch, source)
        texts += [file.read_text(encoding="utf-8") for file in changed if file.parent.name == "functions"]
    connection = await asyncpg.connect(admin_url)
    try:
        for text in texts:
            await connection.execute(text)
    finally:
        await connection.close()
    return source


@asynccontextmanager
async def _server(
    home: Path, settings: Settings, proxy: Proxy, operator_token: str, source: Path | None
) -> AsyncIterator[serving.Server]:
    """A server on the scratch database, behind its own proxy. It is stopped beside the loop, which carries its wires."""
    home.mkdir()
    profile = dict(PROFILE) | {
        "HOLDFAST_DATABASE_URL": _with_port(settings.database_url, proxy.port),
        "HOLDFAST_SECRET_KEY": settings.secret_key,
        "HOLDFAST_OPERATOR_TOKEN": operator_token,
    }
    if source is not None:
        profile["PYTHONPATH"] = str(source)
    running = ExitStack()
    server = running.enter_context(serving.holdfast(home, profile))
    try:
        yield server
    finally:
        await asyncio.to_thread(running.close)


async def _killed(admin_url: str) -> None:
    """Kills the database server the moment it has acknowledged the last write, and waits until it is back."""
    connection = await asyncpg.connect(admin_url)
    postmaster = await connection.fetchval(statement("sabotage/postmaster"))
    os.kill(postmaster, signal.SIGKILL)
    connection.terminate()
    async with asyncio.timeout(_BACK_SECONDS):
        while True:
            try:
                connection = await asyncpg.connect(admin_url)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.1)
            else:
                await connection.close()
                return


async def _looked(settings: Settings, clinic: Organization, load: Load) -> list[Caught]:
    """Every check, on what is stored once all is over; the stranger writes after the history has been compared."""
    plain = await asyncpg.connect(settings.database_url)
    try:
        before = await history_stored.read(plain, clinic.id)
        found: dict[str, list[str]] = {}
        for each in check(load.history, before):
            found.setdefault(f"history {each.kind}", []).append(each.sentence)
        await stranger(plain, clinic.id)
        found |= await _broken(plain)
    finally:
        await plain.close()
    return [Caught(by=by, finding=all_of[0], count=len(all_of)) for by, all_of in found.items()]


async def _broken(connection: Connection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for organization in await invariants.organizations(connection):
        for name, rows in (await invariants.broken(connection, organization)).items():
            told = [", ".join(f"{key}={value}" for key, value in row.items()) for row in rows]
            found.setdefault(f"invariant {name}", []).extend(told)
    return found


def _port(url: str) -> int:
    return urlsplit(url).port or 5432


def _with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    login, _, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}@{serving.HOST}:{port}"))
