"""What the demo tells a person when it is ready: who can sign in, and three commands that show what it is for."""

import textwrap
from collections.abc import Iterator

import msgspec

from holdfast.seed import Seeded, example_body


def text(url: str, seeded: Seeded) -> str:
    """Every command can be pasted as it stands; they use the same shell variable."""
    return "\n".join(_lines(url, seeded))


def _lines(url: str, seeded: Seeded) -> Iterator[str]:
    yield ""
    yield f"Holdfast is ready: {url}"
    yield ""
    yield f"Invented people who can sign in. Demo only: all have the password  {seeded.users[0].password}"
    for user in seeded.users:
        yield f"  {user.role:<14}{user.email}"
    yield ""
    yield f"Try it at {url}/docs, or here. Sign in:"
    desk = next(user for user in seeded.users if user.role == "scheduler")
    login = msgspec.json.encode({"email": desk.email, "password": desk.password}).decode()
    yield _indented(f"""
        TOKEN=$(curl -s {url}/api/v1/auth/login -H 'Content-Type: application/json' \\
          -d '{login}' \\
          | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
    """)
    yield "Watch what happens, from behind:"
    yield _indented(f'curl -sN {url}/api/v1/calendar/events -H "Authorization: Bearer $TOKEN" &')
    if seeded.example is not None:
        booking = example_body(seeded.example)
        yield "Book a visit; do it twice, and see why the second is refused and what is free instead:"
        yield _indented(f"""
            curl -s {url}/api/v1/appointments -H "Authorization: Bearer $TOKEN" \\
              -H 'Content-Type: application/json' \\
              -d '{booking}' | python3 -m json.tool
        """)
    yield "Ctrl-C stops it; the data stay. `holdfast demo --fresh` begins anew."


def _indented(command: str) -> str:
    return textwrap.indent(textwrap.dedent(command).strip("\n").rstrip(), "  ") + "\n"
