"""Says in plain words what is wrong with a database or a machine, and what to do. Reads only; repairs nothing.

`durability_problems` also stands behind `/health/ready`: a server on weak durability must not take work.
"""

import errno
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from holdfast.db.migrate import pending
from holdfast.db.statements import statement
from holdfast.settings import Settings

VERSION_NUM_MIN = 180_000
_FREE_BYTES_MIN = 1 << 30
_FREE_SHARE_MIN = 0.03
_POOLER_ROUNDS = 3


@dataclass(frozen=True)
class Problem:
    """One finding. `grave`: the server must not take work with it."""

    code: str
    sentence: str
    remedy: str
    grave: bool = True


async def durability_problems(connection: Any) -> list[Problem]:
    """What could lose an acknowledged write: as this session has it, and per role and per database for new ones."""
    facts = await connection.fetchrow(statement("doctor_durability"))
    found = [*_weak_settings(facts)]
    for row in await connection.fetch(statement("doctor_overrides")):
        name, _, value = row["setting"].partition("=")
        if name == "synchronous_commit" and _weak_commit(value, facts["standbys"]):
            found.append(
                Problem(
                    "weak_durability",
                    f"synchronous_commit is '{value}' for {row['scope']}: acknowledged writes can be lost.",
                    f"alter {row['alter']} reset synchronous_commit, then restart holdfast.",
                )
            )
    return found


def _weak_settings(facts: Any) -> Iterator[Problem]:
    for name in ("fsync", "full_page_writes"):
        if facts[name] != "on":
            yield Problem(
                "weak_durability",
                f"{name} is off: a loss of power can destroy the database.",
                f"alter system set {name} = on; select pg_reload_conf();",
            )
    if _weak_commit(facts["synchronous_commit"], facts["standbys"]):
        yield Problem(
            "weak_durability",
            f"synchronous_commit is '{facts['synchronous_commit']}' here: acknowledged writes can be lost.",
            "alter system set synchronous_commit = on; select pg_reload_conf();",
        )


def _weak_commit(value: str, standbys: str) -> bool:
    """`local` and `remote_write` are as good as `on` only while nobody waits for a standby."""
    value = value.strip().lower()
    if value in ("off", "false", "no", "0"):
        return True
    return value in ("local", "remote_write") and bool(standbys.strip())


async def role_problems(connection: Any) -> list[Problem]:
    """Whether row-level security really binds the connected role."""
    facts = await connection.fetchrow(statement("doctor_role"))
    role = facts["role"]
    wrong = [
        (facts["is_superuser"], "is a superuser", f"alter role {role} nosuperuser"),
        (facts["bypasses_rls"], "bypasses row-level security", f"alter role {role} nobypassrls"),
        (
            facts["owns_tables"],
            "owns tables",
            "connect the server as a role of its own: see `holdfast migrate --help`",
        ),
    ]
    return [
        Problem(
            "wrong_role",
            f"The server's role {role} {what}, so nothing in the database keeps organizations apart from it.",
            remedy,
        )
        for is_so, what, remedy in wrong
        if is_so
    ]


async def schema_problems(connection: Any) -> list[Problem]:
    """Version, extension and migrations."""
    facts = await connection.fetchrow(statement("doctor_version"))
    found: list[Problem] = []
    if facts["version_num"] < VERSION_NUM_MIN:
        found.append(
            Problem(
                "engine_version",
                f"The database is PostgreSQL {facts['version']}; holdfast needs 18 or newer.",
                "Upgrade it with pg_upgrade or pg_dump, or let holdfast run its own (empty HOLDFAST_DATABASE_URL).",
            )
        )
    if not facts["has_btree_gist"]:
        remedy = (
            "holdfast migrate"
            if facts["can_btree_gist"]
            else "Install PostgreSQL's contrib modules on the server."
        )
        found.append(
            Problem("missing_extension", "The extension btree_gist is missing in this database.", remedy)
        )
    try:
        missing = await pending(connection)
    except asyncpg.InsufficientPrivilegeError:
        missing = ["rights of this role"]
    if missing:
        found.append(
            Problem(
                "not_migrated",
                f"The schema is not that of this version; missing: {', '.join(missing)}.",
                "holdfast migrate (HOLDFAST_DATABASE_ADMIN_URL must name the tables' owner).",
            )
        )
    return found


async def pooler_problems(url: str, pooler: str) -> list[Problem]:
    """Whether something between hands one server connection to several clients without minding prepared statements.

    Two clients prepare a statement of the same name: on two real connections, or behind a pooler that knows
    prepared statements, both keep their own. Behind an old one the names meet.
    """
    if pooler == "transaction":
        return []
    first = await asyncpg.connect(url, statement_cache_size=0, timeout=5)
    try:
        second = await asyncpg.connect(url, statement_cache_size=0, timeout=5)
        try:
            for number in range(_POOLER_ROUNDS):
                if await _names_meet(first, second, f"holdfast_probe_{number}"):
                    return [
                        Problem(
                            "old_pooler",
                            "A pooler between holdfast and the database mixes up prepared statements: answers could "
                            "silently be wrong.",
                            "Set HOLDFAST_DATABASE_POOLER=transaction, or use PgBouncer 1.21 or newer with "
                            "max_prepared_statements, or connect directly.",
                        )
                    ]
        finally:
            await second.close()
    finally:
        await first.close()
    return []


async def _names_meet(first: Any, second: Any, name: str) -> bool:
    try:
        mine = await first.prepare(statement("doctor_probe_one"), name=name)
        theirs = await second.prepare(statement("doctor_probe_two"), name=name)
        # The first keeps a server connection busy, so that the second must be given another one or wait its turn.
        async with first.transaction():
            answers = [await mine.fetchval(), await theirs.fetchval()]
        answers += [await mine.fetchval(), await theirs.fetchval()]
    except (asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError):
        return True
    return answers != [1, 2, 1, 2]


def disk_problems(folder: Path) -> list[Problem]:
    """Whether the disk under the embedded engine is nearly full."""
    usage = shutil.disk_usage(folder)
    if usage.free >= _FREE_BYTES_MIN and usage.free >= usage.total * _FREE_SHARE_MIN:
        return []
    return [
        Problem(
            "disk_nearly_full",
            f"Only {usage.free >> 20} MiB are free under {folder}: when it is full, no booking can be stored.",
            "Free some space or set HOLDFAST_HOME to a larger disk.",
            grave=False,
        )
    ]


def port_problems(host: str, port: int) -> list[Problem]:
    """Whether the address `serve` wants is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sentence = f"Port {port} on {host} is taken{taken_by(port)}."
            else:
                sentence = f"Port {port} on {host} cannot be used: {error.strerror}."
            remedy = "If that is a holdfast already running, all is well; else use --port, or stop the other program."
            return [Problem("port_taken", sentence, remedy, grave=False)]
    return []


def taken_by(port: int) -> str:
    """Who listens there, as far as this user may know."""
    with suppress(psutil.Error, OSError, RuntimeError):
        for one in psutil.net_connections("tcp"):
            if one.laddr and one.laddr.port == port and one.status == psutil.CONN_LISTEN and one.pid:
                return f" by process {one.pid} ({psutil.Process(one.pid).name()})"
    return ""


async def database_problems(url: str, settings: Settings) -> list[Problem]:
    """Everything about the database as the server's role sees it, gravest reasons first."""
    try:
        connection = await asyncpg.connect(url, statement_cache_size=0, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [
            Problem(
                "unreachable",
                f"The database does not answer: {str(error) or type(error).__name__}.",
                "Check HOLDFAST_DATABASE_URL: host, port, role, password, and that the server is up.",
            )
        ]
    try:
        found = await schema_problems(connection)
        found += await durability_problems(connection)
        found += await role_problems(connection)
    finally:
        await connection.close()
    return found + await pooler_problems(url, settings.database_pooler)
