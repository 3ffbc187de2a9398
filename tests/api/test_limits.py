"""How many requests a user and an organization may make, and how they are told."""

import re

import msgspec
import pytest
from api.people import Client, Organization

from holdfast.actor import Actor
from holdfast.api.limits import Limiter
from holdfast.api.problems import Problem
from holdfast.settings import Settings

ONE = Actor(organization_id="o", user_id="1", session_id="s", email="e", role="admin")


async def test_every_answer_says_what_is_left(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["biller"]) as user:
        first, second = [await user.get("/api/v1/auth/me") for _ in range(2)]
    assert first.headers["ratelimit-policy"] == '"user";q=6000;w=60, "organization";q=60000;w=60'
    left = [re.fullmatch(r'"user";r=(\d+);t=(\d+), "organization";r=(\d+);t=\d+', a.headers["ratelimit"])
            for a in (first, second)]  # fmt: skip
    assert left[0] is not None and left[1] is not None
    assert int(left[0][1]) - int(left[1][1]) == 1
    assert 0 < int(left[0][2]) <= 60


def test_a_user_and_an_organization_have_each_their_limit() -> None:
    limiter = Limiter(Settings(requests_per_minute_user=3, requests_per_minute_organization=5))
    for _ in range(3):
        limiter.count(ONE)
    with pytest.raises(Problem) as refused:
        limiter.count(ONE)
    assert (refused.value.status, refused.value.code) == (429, "rate_limited")
    assert 0 < int(refused.value.headers["Retry-After"]) <= 60
    assert '"user";r=0' in refused.value.headers["RateLimit"]
    for _ in range(2):
        limiter.count(msgspec.structs.replace(ONE, user_id="2"))
    with pytest.raises(Problem):
        limiter.count(msgspec.structs.replace(ONE, user_id="3"))
    limiter.count(msgspec.structs.replace(ONE, user_id="4", organization_id="p"))


def test_a_new_minute_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = Limiter(Settings(requests_per_minute_user=1))
    limiter.count(ONE)
    with pytest.raises(Problem):
        limiter.count(ONE)
    limiter._ends -= 60
    limiter.count(ONE)
    assert len(limiter._users) == 1
