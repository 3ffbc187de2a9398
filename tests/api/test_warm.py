"""A process that starts reads directories before anybody asks, and nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from api.people import Organization
from api.practice import API, Practice

from holdfast.app import Application
from holdfast.commands.house import House
from holdfast.commands.warm import warm
from holdfast.rules.facts import Directory
from holdfast.settings import Settings


@asynccontextmanager
async def started(settings: Settings, **changed: int) -> AsyncIterator[House]:
    application = Application(msgspec.structs.replace(settings, **changed))
    async with application.running():
        assert application.house is not None
        yield application.house


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not so():
            await asyncio.sleep(0.01)


async def test_directories_are_there_before_they_are_asked_for(
    settings: Settings, practice: Practice, stranger: Organization
) -> None:
    policy = (
        await practice.admin.post(f"{API}/policies", json={"scope": "organization", "rules": []})
    ).json()
    await practice.admin.post(f"{API}/policies/{policy['id']}/activate")
    both = {practice.organization.id, stranger.id}
    async with started(settings) as house:
        await until(lambda: house.directories.keys() >= both)
        directory = house.directories[practice.organization.id]
        assert [each.id for each in directory.policies] == [policy["id"]]
        assert directory.policy_version == 1
        assert "policy" in directory.remembered, "it is not compiled"


async def test_no_more_are_read_than_are_asked_for(
    settings: Settings, practice: Practice, stranger: Organization
) -> None:
    assert practice.organization.id != stranger.id
    async with started(settings, warm_organizations_max=1) as house:
        await until(lambda: len(house.directories) == 1)
        await until(lambda: all(task.done() for task in house._tasks if "warm" in repr(task.get_coro())))
        assert len(house.directories) == 1


async def test_a_failure_is_nobodys_failure(settings: Settings) -> None:
    """Nobody answers: there is a line in the log, and no exception."""
    async with started(settings, warm_organizations_max=0) as house:
        database = house.database
    found: dict[str, Directory] = {}
    await warm(database, found, 5)
    assert not found
