"""Tries every sabotage, one after the other, in databases of its own beside the product's: what `holdfast prove` tells of them.
The product's own database is not touched.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from holdfast.db.migrate import migrate
from holdfast.proof.sabotage.attempt import Caught, try_one
from holdfast.proof.sabotage.catalog import Sabotage, sabotages
from holdfast.proof.statements import statement
from holdfast.settings import Settings

Progress = Callable[[str], None]
_DATABASE: Final = "holdfast_sabotage"
_TEMPLATE: Final = "holdfast_sabotage_template"


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One sabotage (None: the sound build, first of all) and what caught it."""

    sabotage: Sabotage | None
    caught: list[Caught]

    @property
    def is_as_expected(self) -> bool:
        """A sound build is clean; a sabotage is caught by the check that is there for it."""
        if self.sabotage is None:
            return not self.caught
        return self.sabotage.caught_by in {each.by for each in self.caught}


async def try_all(
    settings: Settings, progress: Progress, wanted: Sequence[Sabotage] | None = None
) -> list[Tried]:
    """The sound build, then each of `wanted`: all that leave the database server alone, if not given.

    `settings` as `launch.prepared` fills them in; the admin URL must be that of a superuser. Raises what `try_one` raises.
    """
    chosen = [each for each in sabotages() if not each.kills] if wanted is None else wanted
    tried = []
    async with _template(settings) as admin:
        for sabotage in (None, *chosen):
            progress(f"Sabotage: {'none, the sound build' if sabotage is None else sabotage.name}.")
            tried.append(Tried(sabotage=sabotage, caught=await _one(admin, settings, sabotage)))
    return tried


@asynccontextmanager
async def _template(settings: Settings) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """The migrated database that each is a copy of, and a connection that may make and drop them."""
    admin = await asyncpg.connect(settings.database_admin_url)
    try:
        await admin.execute(statement("sabotage/drop_template"))
        await admin.execute(statement("sabotage/create_template"))
        role = urlsplit(settings.database_url).username or ""
        await migrate(_of(settings.database_admin_url, _TEMPLATE), role, None, lambda _text: None, settings)
        yield admin
    finally:
        await admin.execute(statement("sabotage/drop_template"))
        await admin.close()


async def _one(
    admin: "asyncpg.Connection[asyncpg.Record]", settings: Settings, sabotage: Sabotage | None
) -> list[Caught]:
    await admin.execute(statement("sabotage/drop_database"))
    await admin.execute(statement("sabotage/create_database"))
    there = msgspec.structs.replace(
        settings,
        database_url=_of(settings.database_url, _DATABASE),
        database_admin_url=_of(settings.database_admin_url, _DATABASE),
    )
    try:
        with tempfile.TemporaryDirectory(prefix="holdfast-sabotage-") as folder:
            return await try_one(sabotage, there, Path(folder))
    finally:
        await admin.execute(statement("sabotage/drop_database"))


def _of(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
