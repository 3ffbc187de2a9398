"""Each sabotage is caught by the check that is there for it, and the sound build is clean under the same load."""

import tempfile
from pathlib import Path

import pytest
import sizes

from holdfast import secrets
from holdfast.db import engine as embedded
from holdfast.db.migrate import migrate
from holdfast.proof.sabotage.attempt import try_one
from holdfast.proof.sabotage.catalog import Sabotage, sabotages
from holdfast.settings import Settings

_AT_EVERY_CHANGE = {"check_then_insert", "commit_asynchronous", "retried_without_looking", "row_security_off"}
"""One for each kind of check; the others at night, since each starts two servers."""
TRIED = [
    each for each in sabotages() if not each.kills and (sizes.FULL or each.name in _AT_EVERY_CHANGE)
]  # fmt: skip


async def test_the_sound_build_is_clean(settings: Settings, tmp_path: Path) -> None:
    assert await try_one(None, settings, tmp_path) == []


@pytest.mark.parametrize("sabotage", TRIED, ids=lambda each: each.name)
async def test_it_is_caught(sabotage: Sabotage, settings: Settings, tmp_path: Path) -> None:
    found = await try_one(sabotage, settings, tmp_path)
    assert sabotage.caught_by in {each.by for each in found}, found


@pytest.mark.slow
@pytest.mark.skipif(not sizes.FULL, reason="an engine of its own, on a disk, is killed: at night")
@pytest.mark.parametrize("sabotage", [None, *(each for each in sabotages() if each.kills)], ids=["sound", "sabotaged"])  # fmt: skip
async def test_a_killed_database_has_lost_nothing(sabotage: Sabotage | None, tmp_path: Path) -> None:
    """In memory a kill would show as little as with everything flushed: the engine is on a disk."""
    with tempfile.TemporaryDirectory(prefix="holdfast-sabotage-") as parent:
        Path(parent).chmod(0o711)
        with embedded.running(Path(parent) / "home", print) as engine:
            password = secrets.server_password(engine.home)
            await migrate(engine.admin_url, "holdfast_server", password, print)
            settings = Settings(
                database_url=engine.url_for("holdfast_server", password, embedded.DATABASE),
                database_admin_url=engine.admin_url,
                secret_key=secrets.text(secrets.secret(Settings(), engine.home)),
            )
            found = {each.by for each in await try_one(sabotage, settings, tmp_path, kills=True)}
    assert ("history lost" in found) == (sabotage is not None), found
    assert sabotage is not None or not found
