"""Bad input on every route: a problem that names the field, never an internal error, and the worker stays up."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec
import pytest
import uvicorn
from api.people import Client
from api.practice import API, VISITS, Practice, at

from holdfast import app, ids
from holdfast.api.door import Route
from holdfast.api.http_protocol import WholeAnswers
from holdfast.app import Application
from holdfast.settings import Settings
from holdfast.states import reach

ROUTES = [route for route in app.routes() if route.media_type != "text/event-stream"]
WITH_BODY = [route for route in ROUTES if route.body is not None]

# Values as JSON spells them; none is right for every field, and most are right for none.
VALUES = (
    "null", "true", "-1", "1e400", "-1e400", "1.5", str(2**63), str(-(2**64)), "9" * 400, '""', '"x"', '"\\ud800"',
    '"\\udc00\\ud800"', '"a\\u0000b"', '"\\u202e"', "[]", "{}", '{"a": 1}', "[[1]]", "[null]", '"0000-01-01"',
    '"10000-01-01"', '"infinity"', '"-infinity"', '"0000-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"',
    '"2026-03-08T02:30:00[America/Denver]"', '"2026-03-02T09:00:00.5Z"', '"2026-03-02T09:00:01Z"',
    '"00000000-0000-0000-0000-000000000000"', json.dumps("x" * 20_000), json.dumps(["x"] * 5000),
)  # fmt: skip
# Bodies that are wrong whatever the call.
BODIES = (
    b"", b" ", b"{", b"[]", b"null", b"1", b'"x"', b"NaN", b'{"a": NaN}', b'{"a": Infinity}', b"\xff\xfe", b'{"\xff": 1}',
    b'{"a": "\xed\xa0\x80"}', b"\xef\xbb\xbf{}", b'{"a": 1,}', b"{'a': 1}", b'{"no such field": 1}', b'{"": 1}',
    b'{"a\\u0000": 1}', b'{"a":' * 40 + b"1" + b"}" * 40, b"[" * 100_000, b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}",
    b'{"a": 1}{"a": 1}', b'{"a": 01}', b'{"a": "\n"}',
)  # fmt: skip
TEXTS = (
    "%00", "%FF", "%ED%A0%80", "null", "-1", "1e400", str(2**63), "9" * 5000, "0000-01-01", "10000-01-01", "infinity",
    "2026-02-30", "%20", "x" * 2000, "9999-12-31T23:59:59Z", "true,false", "'%3B--", "{}", "",
)  # fmt: skip
MEDIA = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "",
    "multipart/form-data; boundary=x",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The operator's calls are there too; nobody here is the operator."""
    return msgspec.structs.replace(settings, operator_token="x" * 32)


def is_problem(answer: httpx2.Response, said: Any) -> Any:
    """Whatever was sent was understood or is the sender's fault, and a fault is told as a problem."""
    assert answer.status_code < 500, (said, answer.text)
    if answer.status_code < 400:
        return None
    assert answer.headers["content-type"] == "application/problem+json", said
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["code"] and problem["title"] and problem["request_id"]
    if answer.status_code == 422:
        assert problem["errors"], said
        assert all(error["code"] and error["message"] for error in problem["errors"]), said
        assert all(isinstance(error["field"], str) for error in problem["errors"]), said
    return problem


def path_of(route: Route[Any, Any], name: str = "") -> str:
    """The route's path with an id of nobody, or with whatever is given."""
    return "/".join(name or ids.new() if part.startswith("{") else part for part in route.path.split("/"))


async def send(
    client: httpx2.AsyncClient, route: Route[Any, Any], body: bytes, **more: Any
) -> httpx2.Response:
    headers = {"Content-Type": "application/json"} | more.pop("headers", {})
    return await client.request(route.method, path_of(route), content=body, headers=headers, **more)


@pytest.mark.parametrize("part", range(3))
async def test_every_body_of_every_call(practice: Practice, client: Client, part: int) -> None:
    """In three parts, since nobody may ask more than some thousand times a minute. What is no admin's to do is asked for by
    a practitioner."""
    async with client(practice.organization.tokens["practitioner"]) as practitioner:
        await every_body(practice.admin, practitioner, WITH_BODY[part::3])
    assert (await practice.admin.get(f"{API}/auth/me")).status_code == 200


async def every_body(
    admin: httpx2.AsyncClient, practitioner: httpx2.AsyncClient, routes: list[Route[Any, Any]]
) -> None:
    for route in routes:
        asks = practitioner if route.permission and reach(route.permission, "admin") is None else admin
        if route.path.endswith("/auth/logout"):
            continue
        for body in BODIES:
            problem = is_problem(await send(asks, route, body), (route.path, body[:60]))
            if not (route.body_optional and body in (b"", b" ")):
                assert problem is not None and problem["status"] in (422, 429), (
                    route.path,
                    body[:60],
                    problem,
                )
        assert route.body is not None
        for field in msgspec.structs.fields(route.body):
            name = field.encode_name
            for value in VALUES:
                is_problem(
                    await send(asks, route, f'{{"{name}": {value}}}'.encode()),
                    (route.path, name, value),
                )


async def test_every_query_and_path_of_every_call(practice: Practice) -> None:
    for route in ROUTES:
        for name in [each.encode_name for each in msgspec.structs.fields(route.query)]:
            for text in TEXTS:
                answer = await practice.admin.request(route.method, f"{path_of(route)}?{name}={text}")
                is_problem(answer, (route.path, name, text[:30]))
            for twice in (f"{name}=1&{name}=2", f"{name}={ids.new()}&{name}={ids.new()}"):
                is_problem(
                    await practice.admin.request(route.method, f"{path_of(route)}?{twice}"),
                    (route.path, twice),
                )
        if "/auth/" in route.path or route.body is not None:
            continue
        problem = is_problem(
            await practice.admin.request(route.method, path_of(route) + "?no_such=1"), route.path
        )
        assert problem is not None and problem["errors"][0]["field"] == "no_such", route.path
        # The operator's calls ask who it is before they look at an id; who asks here is none.
        if "{id}" in route.path and "/operator/" not in route.path:
            for text in (
                "x",
                "%00",
                "%FF",
                "..",
                "%2e%2e%2f",
                "x" * 3000,
                quote("é"),
                ids.new().replace("-", "/"),
            ):
                problem = is_problem(
                    await practice.admin.request(route.method, path_of(route, text)), (route.path, text[:30])
                )
                assert problem is not None and problem["status"] in (404, 405, 422), (route.path, text[:30])


BAD_BOOKINGS = (
    ('"start": "2026-03-08T02:30:00"', "start"), ('"start": "infinity"', "start"), ('"start": 1e400', "start"),
    ('"start": "10000-01-01T00:00:00Z"', "start"), ('"start": "0000-01-01T00:00:00Z"', "start"),
    ('"start": 1772000000', "start"), ('"end": "8999-12-31T00:00:00Z"', "end"), ('"end": "1999-12-31T00:00:00Z"', "end"),
    ('"duration_minutes": -60', "duration_minutes"), ('"duration_minutes": 1e400', "duration_minutes"),
    (f'"duration_minutes": {2**63}', "duration_minutes"), ('"duration_minutes": 60.5', "duration_minutes"),
    ('"duration_minutes": "60"', "duration_minutes"), ('"duration_minutes": true', "duration_minutes"),
    ('"units_reserved": -4', "units_reserved"), ('"notes": ["x"]', "notes"), ('"patient_id": 7', "patient_id"),
    ('"patient_id": "\'; drop table claims; --"', "patient_id"), ('"organization_id": "x"', "organization_id"),
    ('"location": null, "x": 1', "x"),
)  # fmt: skip


async def test_a_booking_names_the_field_that_is_wrong(practice: Practice) -> None:
    good = practice.booking(at(9))
    for spelled, field in BAD_BOOKINGS:
        name = spelled.split('"')[1]
        rest = json.dumps({n: v for n, v in good.items() if n != name})[1:]
        answer = await practice.admin.post(
            VISITS, content="{" + spelled + ", " + rest, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422, (spelled, answer.text)
        # A number that no computer holds is not JSON to begin with.
        told = [error["field"] for error in answer.json()["errors"]]
        assert told == (["body"] if "1e400" in spelled else [field]), spelled
    assert (await practice.admin.get(VISITS)).json()["total"] == 0


async def test_what_is_said_twice_is_not_understood(practice: Practice) -> None:
    """Two readers of one body must not read two different things."""
    body = json.dumps(practice.booking(at(9)))
    for twice in (f'{{"start": "{at(12)}", {body[1:]}', f'{body[:-1]}, "sta\\u0072t": "{at(12)}"}}'):
        answer = await practice.admin.post(
            VISITS, content=twice, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == ["start"]


async def test_instants_in_a_gap_and_a_fold_are_instants(practice: Practice) -> None:
    """With an offset nothing is ambiguous: both half past ones of November are different times."""
    always = [{"weekday": day, "start": "00:00", "end": "24:00"} for day in range(7)]
    denver = await practice.make(
        "clinics", "denver", name="Denver", time_zone="America/Denver", opening_hours=always
    )
    await practice.make("rooms", "night", clinic_id=denver, number="1", room_type="talk", cleaning_minutes=0)
    await practice.make("practitioners", "cleo", name="Cleo", clinic_ids=[denver])
    where = {"clinic_id": "denver", "practitioner_id": "cleo"}
    booked = [
        await practice.book(f"{on}T{hour}:30:00{offset}", **where)
        for on, hour, offset in (
            ("2027-11-07", "01", "-06:00"), ("2027-11-07", "01", "-07:00"), ("2027-03-14", "02", "-07:00"),
        )
    ]  # fmt: skip
    assert [visit["start"] for visit in booked] == [
        "2027-11-07T07:30:00Z", "2027-11-07T08:30:00Z", "2027-03-14T09:30:00Z",
    ]  # fmt: skip


async def test_only_json_is_a_body(practice: Practice) -> None:
    content = json.dumps(practice.booking(at(9)))
    for media_type in MEDIA:
        answer = await practice.admin.post(VISITS, content=content, headers={"Content-Type": media_type})
        assert is_problem(answer, media_type)["code"] == "unsupported_media_type"
    answer = await practice.admin.request("DELETE", VISITS)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    answer = await practice.admin.get(f"{API}/nowhere")
    assert is_problem(answer, "nowhere")["code"] == "not_found"
    answer = await practice.admin.request("GET", VISITS, content=b"{}")
    assert is_problem(answer, "a body on GET")["status"] == 422


@asynccontextmanager
async def served(application: Application) -> AsyncIterator[int]:
    """The running application on a socket; gives the port."""
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


async def wired(port: int, sent: bytes) -> bytes:
    """What comes back over a socket, until the server closes or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        await writer.drain()
        async with asyncio.timeout(20):
            return await reader.read(4096)
    finally:
        writer.close()


async def test_the_wire_itself(practice: Practice) -> None:
    """What a client library would not send; and a body too large is answered when all of it has been taken."""
    token = practice.organization.tokens["admin"]
    head = f"Host: t\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    async with served(practice.application) as port:
        for line in (
            "GET /api/v1/appointments/\xff HTTP/1.1", "GET /api/v1/appointments/%ff%00 HTTP/1.1",
            "GET /api/v1/appointments?patient_id=%ff%fe HTTP/1.1", "GET /api/v1/appointments?\xff=\xfe HTTP/1.1",
            "GET //api//v1//appointments HTTP/1.1", "GET /api/v1/appointments;x=1 HTTP/1.1", "BREW /api/v1/rooms HTTP/1.1",
        ):  # fmt: skip
            answer = await wired(port, (line + "\r\n" + head + "\r\n").encode("latin-1"))
            assert answer.startswith(b"HTTP/1.1 4"), (line, answer)
        for size, status in ((1 << 20, b"422"), ((1 << 20) + 1, b"413"), (20 << 20, b"413")):
            content = b'"' + b"x" * (size - 2) + b'"'
            request = f"POST /api/v1/appointments HTTP/1.1\r\n{head}Content-Length: {size}\r\n\r\n".encode()
            answer = await wired(port, request + content)
            assert answer.split(b" ")[1] == status, answer[:200]
            assert b"application/problem+json" in answer
        # Broken off in the middle: nothing happens, and the next one is served.
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST /api/v1/appointments HTTP/1.1\r\n{head}Content-Length: 500\r\n\r\n{{".encode())
        await writer.drain()
        writer.transport.abort()
        del reader
        answer = await wired(port, f"GET /api/v1/auth/me HTTP/1.1\r\n{head}\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 200")
