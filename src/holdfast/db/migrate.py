"""Brings a database to the schema of this version. Runs as the owner, never in the server.

`sql/tables/` is the whole schema as it is now; a fresh database gets that. One that has books gets
the migrations it lacks (dbmate's format), each in its own transaction. Then the functions and grants
are made anew, always. Holds no SQL of its own.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from holdfast.db.statements import statement
from holdfast.plain import PlainError
from holdfast.settings import Settings

Progress = Callable[[str], None]

SQL_ROOT = Path(__file__).resolve().parent.parent / "sql"

_LOCK_TIMEOUT_MS = 4_000
_ATTEMPTS_MAX = 5
_SCRAM_ITERATIONS = 4096
_FILE_NAME = re.compile(r"(\d{4,14})_([a-z0-9_]+)\.sql")
_SECTIONS = re.compile(
    r"^-- migrate:up(?P<options>[^\n]*)\n(?P<up>.*?)(?:^-- migrate:down[^\n]*\n?.*)?\Z",
    re.DOTALL | re.MULTILINE,
)


class MigrationError(PlainError):
    """The database cannot be brought to this version; the message says why and what to do."""


@dataclass(frozen=True)
class Migration:
    """One numbered file. `alone`: it may not run inside a transaction (concurrent indexes)."""

    version: str
    name: str
    up: str
    checksum: str
    alone: bool


@dataclass(frozen=True)
class MigrationReport:
    """What a run did: `fresh` when the schema was made whole, else the names it applied."""

    fresh: bool
    applied: tuple[str, ...]
    version: str


async def migrate(
    admin_url: str,
    server_role: str,
    server_password: str | None,
    progress: Progress,
    settings: Settings | None = None,
    root: Path = SQL_ROOT,
) -> MigrationReport:
    """Tables or missing migrations, then functions, the server's role and grants.

    `server_password` given: the role is made if missing and gets it; None: the role exists already.
    Safe to run by several processes at once and at every start.
    """
    async with _alone_in(admin_url) as connection:
        await _prepare(connection)
        report = await _bring_tables(connection, root, progress)
        await _functions_and_grants(connection, root)
        await _server_role(connection, server_role, server_password, settings or Settings())
    return report


async def fresh(admin_url: str, root: Path = SQL_ROOT) -> None:
    """Makes the schema whole from `tables/` in an empty database, for comparing."""
    async with _alone_in(admin_url) as connection:
        await _prepare(connection)
        await _make_whole(connection, root / "tables", migrations(root))
        await _functions_and_grants(connection, root)


async def migrated(admin_url: str, baseline: Path, root: Path = SQL_ROOT) -> None:
    """Makes the first release's schema from `baseline`, then applies every migration, for comparing."""
    async with _alone_in(admin_url) as connection:
        await _prepare(connection)
        await _make_whole(connection, baseline, [])
        for one in migrations(root):
            await _apply(connection, one)
        await _functions_and_grants(connection, root)


async def snapshot(admin_url: str) -> list[str]:
    """Every object of the schema as a line, sorted; equal lists mean equal schemas."""
    connection = await asyncpg.connect(admin_url)
    try:
        return [row["line"] for row in await connection.fetch(statement("schema_snapshot"))]
    finally:
        await connection.close()


async def pending(connection: Any, root: Path = SQL_ROOT) -> list[str]:
    """Names of what this version has and the database lacks; ["schema"] when it has none at all."""
    if not await connection.fetchval(statement("migration_books_exist")):
        return ["schema"]
    known = {row["version"] for row in await connection.fetch(statement("migration_applied"))}
    return [one.name for one in migrations(root) if one.version not in known]


def migrations(root: Path = SQL_ROOT) -> list[Migration]:
    """The numbered files in order. Raises MigrationError for a misnamed or doubled one."""
    found: dict[str, Migration] = {}
    for file in sorted((root / "migrations").glob("*.sql")):
        named = _FILE_NAME.fullmatch(file.name)
        text = file.read_text(encoding="utf-8")
        parts = _SECTIONS.search(text)
        if named is None or parts is None:
            raise MigrationError(f"{file.name}: expected NNNN_name.sql with a '-- migrate:up' section.")
        version, name = named.groups()
        if version in found:
            raise MigrationError(f"Two migrations carry the number {version}: {file.name}.")
        checksum = hashlib.sha256(text.encode()).hexdigest()
        alone = "transaction:false" in parts["options"]
        found[version] = Migration(version, f"{version}_{name}", parts["up"], checksum, alone)
    return list(found.values())


@asynccontextmanager
async def _alone_in(admin_url: str) -> AsyncIterator[Any]:
    """A connection holding the database's migration lock, on which no wait for a table is long."""
    connection = await asyncpg.connect(
        admin_url, statement_cache_size=0, server_settings={"search_path": "public"}
    )
    try:
        await connection.execute(statement("migration_lock"))
        # After the lock: waiting for another migrate may take as long as that one does.
        await connection.execute(statement("migration_patience"), f"{_LOCK_TIMEOUT_MS}ms")
        yield connection
    finally:
        await connection.close()


async def _prepare(connection: Any) -> None:
    try:
        await connection.execute(statement("migration_prepare"))
    except asyncpg.UndefinedFileError as error:
        raise MigrationError(
            "The extension btree_gist is not installed on the database server: install PostgreSQL's "
            "contrib modules there (on Debian they come with postgresql-18)."
        ) from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(
            f"The admin role may not prepare the database ({error}): give HOLDFAST_DATABASE_ADMIN_URL "
            "of a role that may create extensions, roles and schemas."
        ) from error


async def _bring_tables(connection: Any, root: Path, progress: Progress) -> MigrationReport:
    known = migrations(root)
    version = known[-1].version if known else ""
    if not await connection.fetchval(statement("migration_books_exist")):
        progress("Making the tables.")
        await _make_whole(connection, root / "tables", known)
        return MigrationReport(True, (), version)
    applied = await connection.fetch(statement("migration_applied"))
    _check_history(known, [(row["version"], row["name"], row["checksum"]) for row in applied])
    done = {row["version"] for row in applied}
    missing = [one for one in known if one.version not in done]
    for one in missing:
        progress(f"Applying migration {one.name}.")
        await _apply(connection, one)
    return MigrationReport(False, tuple(one.name for one in missing), version)


def _check_history(known: list[Migration], applied: list[tuple[str, str, str]]) -> None:
    ours = {one.version: one for one in known}
    for version, name, checksum in applied:
        if version not in ours:
            raise MigrationError(
                f"The database has migration {name}, which this version of holdfast does not know: "
                "it was migrated by a newer one. Upgrade holdfast."
            )
        if ours[version].checksum != checksum:
            raise MigrationError(
                f"Migration {name} was changed after it was applied here: restore the file and put "
                "the change into a new migration."
            )


async def _make_whole(connection: Any, tables: Path, marked: list[Migration]) -> None:
    async with connection.transaction():
        await connection.execute(statement("migration_books"))
        for file in sorted(tables.glob("*.sql")):
            await _execute_file(connection, file)
        for one in marked:
            await _mark(connection, one)


async def _apply(connection: Any, one: Migration) -> None:
    for attempt in range(1, _ATTEMPTS_MAX + 1):
        try:
            if one.alone:
                await connection.execute(one.up)
                await _mark(connection, one)
                return
            async with connection.transaction():
                await connection.execute(one.up)
                await _mark(connection, one)
            return
        except asyncpg.LockNotAvailableError:
            # Never queue behind a long reader: every writer would queue behind us.
            if attempt == _ATTEMPTS_MAX:
                raise MigrationError(
                    f"Migration {one.name} found its tables busy {attempt} times; run it again later."
                ) from None
            await asyncio.sleep(attempt * 0.5)
        except asyncpg.PostgresError as error:
            raise MigrationError(f"Migration {one.name} failed: {error}") from error


async def _mark(connection: Any, one: Migration) -> None:
    await connection.execute(statement("migration_mark"), one.version, one.name, one.checksum)


async def _functions_and_grants(connection: Any, root: Path) -> None:
    for attempt in range(1, _ATTEMPTS_MAX + 1):
        try:
            async with connection.transaction():
                for file in sorted((root / "functions").glob("*.sql")):
                    await _execute_file(connection, file)
                if (root / "grants.sql").exists():
                    await _execute_file(connection, root / "grants.sql")
            return
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if attempt == _ATTEMPTS_MAX:
                raise MigrationError("The tables stayed busy; run migrate again later.") from None
            await asyncio.sleep(attempt * 0.5)


async def _execute_file(connection: Any, file: Path) -> None:
    try:
        await connection.execute(file.read_text(encoding="utf-8"))
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{file.parent.name}/{file.name}: {error}") from error


async def _server_role(connection: Any, role: str, password: str | None, settings: Settings) -> None:
    facts = await connection.fetchrow(statement("migration_role_facts"), role)
    if facts is None and password is None:
        raise MigrationError(
            f"The role {role} does not exist: create it as a plain login role, or give a password."
        )
    if facts is not None:
        for wrong, word in (
            ("is_superuser", "is a superuser"),
            ("bypasses_rls", "bypasses row-level security"),
            ("owns_tables", "owns tables"),
        ):
            if facts[wrong]:
                raise MigrationError(
                    f"The server's role {role} {word}, so row-level security would not bind it: use a plain role."
                )
    verifier = scram_verifier(password) if password is not None else ""
    values = json.dumps(_role_settings(settings))
    for attempt in range(1, _ATTEMPTS_MAX + 1):
        try:
            async with connection.transaction():
                await connection.execute(statement("migration_role_inputs"), role, verifier, values)
                await connection.execute(statement("migration_role"))
            return
        except (asyncpg.InternalServerError, asyncpg.UniqueViolationError):
            # Roles are shared by all databases: a migrate in another one changes the same row.
            if attempt == _ATTEMPTS_MAX:
                raise
            await asyncio.sleep(attempt * 0.1)


def _role_settings(settings: Settings) -> dict[str, str]:
    def ms(seconds: float) -> str:
        return f"{round(seconds * 1000)}ms"

    return {
        "search_path": "public",
        "default_transaction_isolation": "read committed",
        "lock_timeout": ms(settings.lock_timeout_seconds),
        "statement_timeout": ms(settings.statement_timeout_seconds),
        "transaction_timeout": ms(settings.transaction_timeout_seconds),
        "idle_in_transaction_session_timeout": ms(settings.idle_in_transaction_timeout_seconds),
    }


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL stores for a password, so that the password itself never travels."""
    salt = salt if salt is not None else os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (salt, stored, server)
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in parts)
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{salt64}${stored64}:{server64}"
