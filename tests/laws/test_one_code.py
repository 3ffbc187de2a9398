"""What is good once is good once in however many processes: a code of the second factor, and an installation's set-up."""

import time
from pathlib import Path

import pyotp
from api.people import PASSWORD
from laws.conftest import Open
from laws.servers import processes
from laws.wire import Client, together
from laws.world import World, changed, statuses

from holdfast.commands.setup import hashed
from holdfast.settings import Settings

ROUNDS, CLIENTS = 10, 6


async def test_one_code_signs_in_once(open_world: Open, settings: Settings) -> None:
    """Nobody is locked out here for the many that fail."""
    world = await open_world(2, served_by=changed(settings, sign_in_failures_max=10**6))
    secret = await _enrolled(world)
    email = (await world.client().get("/auth/me")).body["email"]
    clients = [Client(world.servers[number % 2].port) for number in range(CLIENTS)]
    for client in clients:
        await client.connect()
    for number in range(ROUNDS):
        await world.stored(
            "update totp_factors set step_used = 0 where organization_id = $1 returning user_id"
        )
        body = {"email": email, "password": PASSWORD, "totp": pyotp.TOTP(secret).now()}
        path = ("/auth/login", "/auth/session")[number % 2]
        replies = await together(client.post(path, body) for client in clients)
        assert statuses(replies) == [200] + [401] * (CLIENTS - 1)


async def _enrolled(world: World) -> str:
    admin = world.client()
    secret = str((await admin.post("/auth/totp")).body["secret"])
    confirmed = await admin.post("/auth/totp/confirm", {"code": pyotp.TOTP(secret).at(int(time.time()))})
    assert confirmed.status == 204, confirmed.content
    admin.close()
    return secret


async def test_an_installation_is_set_up_once(settings: Settings, tmp_path: Path) -> None:
    token = "hfs_a-set-up-token-that-the-tests-know"
    served = changed(settings, setup_token_sha256=hashed(token))
    with processes(served, 2, tmp_path) as servers:
        for server in servers:
            await server.answering()
        clients = [Client(servers[number % 2].port) for number in range(CLIENTS)]
        for client in clients:
            await client.connect()
        replies = await together(
            client.post("/setup", {
                "token": token, "name": f"Clinic {number}", "admin_email": f"admin{number}@first.example",
                "admin_password": PASSWORD,
            })
            for number, client in enumerate(clients)
        )  # fmt: skip
        assert statuses(replies) == [201] + [409] * (CLIENTS - 1)
        for client in clients:
            client.close()
