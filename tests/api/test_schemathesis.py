"""The served description against the served behaviour: schemathesis makes up requests for every call, alone and in
chains of calls, and holds each answer against what /openapi.json says of it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from api.people import Client, make_organization
from api.practice import make_practice
from sizes import size

from holdfast.api.http_protocol import WholeAnswers
from holdfast.app import Application
from holdfast.settings import Settings

SECONDS = size(20, 120)
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "ignored_auth",
)  # fmt: skip
# A stream that does not end, and what would end the session that asks.
LEFT_OUT = ("/api/v1/calendar/events", "/api/v1/auth/logout", "/api/v1/auth/session")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody is limited: what is looked at is not how much. There is an operator, so that every described path is there."""
    return msgspec.structs.replace(
        settings,
        requests_per_minute_user=10**7,
        requests_per_minute_organization=10**7,
        sign_in_failures_max=10**6,
        operator_token="the operator's token of these tests",
    )


@asynccontextmanager
async def served(application: Any) -> AsyncIterator[int]:
    config = uvicorn.Config(
        application,
        http=WholeAnswers,
        port=0,
        lifespan="off",
        log_level="critical",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


@pytest.mark.slow
async def test_answers_are_what_the_description_says(
    application: Application, client: Client, tmp_path: Path
) -> None:
    organization = await make_organization(application, client, "Juniper")
    async with client(organization.tokens["admin"]) as admin:
        await make_practice(application, organization, admin)
    left_out = [word for path in LEFT_OUT for word in ("--exclude-path", path)]
    async with served(application) as port:
        url = f"http://127.0.0.1:{port}"
        program = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json", "--header",
            f"Authorization: Bearer {organization.tokens['admin']}", "--checks", ",".join(CHECKS), *left_out,
            "--max-time", str(SECONDS), "--phases", "coverage,fuzzing,stateful", "--suppress-health-check", "all",
            "--request-timeout", "10", "--no-color", "--warnings", "off",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(program.communicate(), SECONDS * 3)
        async with client(organization.tokens["admin"]) as admin:
            assert (await admin.get("/health/ready")).status_code == 200
    assert program.returncode == 0, output.decode()[-6000:]
