"""`serve` on an empty home, as a person does it first: the printed token sets the installation up, once."""

import subprocess
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from cli.test_serve import stop, url_of

Command = Callable[..., "subprocess.Popen[str]"]
PASSWORD = "a password that the tests know"
NOTHING_STANDS_IN = {"PYTHONPATH": ""}
"""The product's own application, not the one of ten lines."""


def new(token: str, number: int) -> dict[str, Any]:
    return {
        "token": token, "name": "Northside", "admin_email": f"you{number}@northside.example",
        "admin_password": PASSWORD,
    }  # fmt: skip


def lines_of(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


@pytest.mark.slow
def test_the_printed_token_sets_up_once_whichever_worker_is_asked(start: Command) -> None:
    first = start("serve", "--port", "0", "--workers", "2", **NOTHING_STANDS_IN)
    url = url_of(first)
    sentence, token, other_way = lines_of(first, 3)
    assert "Nobody can sign in yet" in sentence
    assert "holdfast organization create" in other_way
    # Each over a connection of its own, so that both workers are asked.
    wrong = [httpx2.post(f"{url}/api/v1/setup", json=new(f"{token}x", n)) for n in range(8)]
    assert {answer.status_code for answer in wrong} == {401}
    right = [httpx2.post(f"{url}/api/v1/setup", json=new(token, n)) for n in range(8)]
    assert [answer.status_code for answer in right] == [201] + [409] * 7, right[0].text
    login = httpx2.post(
        f"{url}/api/v1/auth/login", json={"email": "you0@northside.example", "password": PASSWORD}
    )
    assert login.status_code == 200
    assert stop(first) == 0
    _, said = first.communicate()
    assert token not in said

    second = start("serve", "--port", "0", **NOTHING_STANDS_IN)
    url = url_of(second)
    assert httpx2.post(f"{url}/api/v1/setup", json=new(token, 9)).status_code == 409
    assert stop(second) == 0
    assert second.stdout is not None
    assert second.stdout.read() == "", "no token for an installation that is set up"


@pytest.mark.slow
def test_the_command_line_makes_the_first_and_says_what_is_wrong(start: Command) -> None:
    def create(email: str, password: str, *flags: str) -> tuple[int, str, str]:
        process = start(
            "organization", "create", "--name", "Northside", "--email", email, *flags, stdin=password
        )
        out, error = process.communicate(timeout=120)
        return process.returncode, out, error

    assert create("you@northside.example", PASSWORD)[0] == 0
    code, _, error = create("you@northside.example", PASSWORD)
    assert (code, "signs in already" in error) == (1, True)
    code, _, error = create("other@northside.example", "short")
    assert (code, "password must have 12 to 200 characters" in error) == (1, True)
    assert create("third@northside.example", PASSWORD, "--no-require-totp")[0] == 0
    server = start("serve", "--port", "0", **NOTHING_STANDS_IN)
    url = url_of(server)
    for email, status in (("you@northside.example", 403), ("third@northside.example", 200)):
        login = httpx2.post(f"{url}/api/v1/auth/login", json={"email": email, "password": PASSWORD}).json()
        headers = {"Authorization": f"Bearer {login['access_token']}"}
        assert httpx2.get(f"{url}/api/v1/clinics", headers=headers).status_code == status
    assert stop(server) == 0
