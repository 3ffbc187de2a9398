"""The driver against a server of a few lines that counts what it is asked and can be told to be slow, wrong or gone."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from holdfast.proof import driver, listeners
from holdfast.proof.driver import Plan, Result, drive, request
from holdfast.proof.history.log import Wish, merged


class Server:
    """Answers after `delay(n)` seconds with `status(n)`; status 0 hangs up. `parts`: in how many pieces."""

    def __init__(
        self, status: Callable[[int], int] = lambda _n: 200, delay: Callable[[int], float] = lambda _n: 0.0,
        parts: int = 1,
    ) -> None:  # fmt: skip
        self.status, self.delay, self.parts = status, delay, parts
        self.seen: list[bytes] = []
        self.under_way = self.under_way_max = 0
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(x[15:]) for x in head.split(b"\r\n") if x.startswith(b"content-length:")), 0
                )
                body = await reader.readexactly(length)
                number = len(self.seen)
                self.seen.append(body or head.split()[1])
                self.under_way += 1
                self.under_way_max = max(self.under_way_max, self.under_way)
                await asyncio.sleep(self.delay(number))
                self.under_way -= 1
                if not self.status(number):
                    return
                answer = b"HTTP/1.1 %d X\r\ncontent-length: 5\r\n\r\nhello" % self.status(number)
                step = -(-len(answer) // self.parts)
                for start in range(0, len(answer), step):
                    writer.write(answer[start : start + step])
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def plan(server: Server, count: int = 100, **more: Any) -> Plan:
    wanted = [request("POST", "/x", {"host": "t"}, b"%d" % n) for n in range(count)]
    return Plan(**{
        "host": "127.0.0.1", "port": server.port, "clients": 4, "requests": wanted, "expected_status": 200,
        "seconds": 20.0, **more,
    })  # fmt: skip


def terms_add_up(result: Result) -> bool:
    return result.offered == sum(result.statuses.values()) + result.failed


@pytest.mark.parametrize("parts", [1, 7, 60])
async def test_each_request_once_and_never_more_at_once_than_clients(parts: int) -> None:
    async with Server(delay=lambda _n: 0.001, parts=parts).running() as server:
        result = await drive(plan(server))
    assert sorted(server.seen, key=int) == [b"%d" % n for n in range(100)]
    assert server.under_way_max == 4
    assert result.statuses == {200: 100}
    assert result.answered == len(result.samples) == result.offered == 100
    assert not result.failed
    assert min(result.samples) >= 0.001


async def test_latency_is_the_servers_time() -> None:
    async with Server(delay=lambda _n: 0.05).running() as server:
        result = await drive(plan(server, 8))
    assert all(0.05 <= one < 2 for one in result.samples)
    assert 0.1 <= result.seconds < 4


async def test_an_unexpected_status_is_counted_and_kept_but_is_no_sample() -> None:
    async with Server(status=lambda n: 409 if n % 10 == 3 else 200).running() as server:
        result = await drive(plan(server))
    assert result.statuses == {200: 90, 409: 10}
    assert result.answered == 90
    assert terms_add_up(result)
    assert "409" in result.unexpected[0]
    assert "hello" in result.unexpected[0]


async def test_a_lost_connection_is_a_failure_and_the_others_go_on() -> None:
    async with Server(status=lambda n: 0 if n == 10 else 200).running() as server:
        result = await drive(plan(server))
    assert result.failed == 1
    assert result.statuses == {200: 99}
    assert terms_add_up(result)


async def test_a_server_that_goes_ends_the_run() -> None:
    async with Server(status=lambda _n: 0).running() as server:
        result = await asyncio.wait_for(drive(plan(server)), 5)
    assert (result.offered, result.failed, result.answered) == (4, 4, 0)


@pytest.mark.parametrize("rate", [None, 500.0])
async def test_the_time_ends_a_repeated_run(rate: float | None) -> None:
    async with Server(delay=lambda _n: 0.002).running() as server:
        result = await drive(plan(server, 3, repeat=True, seconds=0.4, rate=rate))
    assert 0.3 < result.seconds < 10
    assert result.offered > 50
    assert set(server.seen) == {b"0", b"1", b"2"}
    assert terms_add_up(result)


async def test_the_warm_up_is_no_sample() -> None:
    async with Server(delay=lambda n: 1.0 if n < 4 else 0.001).running() as server:
        result = await drive(plan(server, 3, repeat=True, seconds=2.0, warm_up_seconds=0.05))
    assert sum(result.statuses.values()) >= result.answered + 4
    assert max(result.samples) < 0.9
    assert result.seconds < 10


async def test_open_loop_keeps_its_rate_whatever_the_answers_do() -> None:
    async with Server().running() as server:
        result = await drive(plan(server, 200, rate=400.0))
    assert result.answered == 200
    assert 0.48 < result.seconds < 10


async def test_open_loop_latency_counts_from_when_it_was_due() -> None:
    """One client, 100 due per second, 20 ms each: the server can do 50, so the 40th waits for about 400 ms."""
    async with Server(delay=lambda _n: 0.02).running() as server:
        result = await drive(plan(server, 40, clients=1, rate=100.0))
    assert result.answered == 40
    assert result.samples[0] < 0.3
    assert result.samples[-1] > 0.35
    assert result.backlog_max > 10


@pytest.mark.parametrize("rate", [None, 400.0])
async def test_what_clients_saw_is_logged_for_each_request(rate: float | None, tmp_path: Path) -> None:
    """Each operation is that of its request; who was hung up on, or not answered in time, knows nothing."""
    wishes = [Wish(kind="reserve", key=str(n), subject="s", units=n) for n in range(60)]
    gone = {7, 20}
    file = tmp_path / "history"
    async with Server(
        lambda n: 0 if n in gone else 409 if n % 3 else 200, lambda _n: 0.002, parts=3
    ).running() as server:
        result = await drive(plan(server, 60, rate=rate, clients=6, wishes=wishes, history_file=str(file)))
    history = merged([file])
    assert sorted(each.wish.key for each in history) == sorted(each.key for each in wishes)
    asked = {int(body): number for number, body in enumerate(server.seen)}
    for each in history:
        number = asked[each.wish.units]
        assert each.status == (0 if number in gone else 409 if number % 3 else 200)
        assert (each.end is None) == (number in gone)
        assert each.outcome == ("fail" if each.status == 409 else "unknown")
        assert each.end is None or each.begin + 0.002 <= each.end
    assert result.failed == len(gone)
    assert [each.begin for each in history] == sorted(each.begin for each in history)


async def test_who_is_still_waiting_at_the_end_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_GRACE_SECONDS", 0.2)
    file = tmp_path / "history"
    async with Server(delay=lambda _n: 5.0).running() as server:
        await drive(plan(server, 3, seconds=0.1, wishes=[Wish(kind="cancel")] * 3, history_file=str(file)))
    assert [(each.outcome, each.end) for each in merged([file])] == [("unknown", None)] * 3


async def test_the_driver_as_a_process(tmp_path: Path) -> None:
    plan_file, result_file = tmp_path / "plan", tmp_path / "result"
    async with Server().running() as server:
        plan_file.write_bytes(msgspec.msgpack.encode(plan(server, 50)))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "holdfast.proof.driver", str(plan_file), str(result_file),
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == 0
    result = msgspec.msgpack.decode(result_file.read_bytes(), type=Result)
    assert result.statuses == {200: 50}
    assert len(result.samples) == 50
    assert 0 < result.cpu_seconds < 20


def test_a_request_is_http() -> None:
    assert request("GET", "/a?b=c", {"host": "h"}) == b"GET /a?b=c HTTP/1.1\r\nhost: h\r\n\r\n"
    with_body = request("POST", "/a", {}, b"{}")
    assert with_body.endswith(b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{}")


def test_an_event_is_seen_when_its_last_byte_has_come() -> None:
    """Frames torn over chunks, two frames in one, and what is not a booking between them."""
    one, other = (b"0000000%d-0000-7000-8000-000000000000" % n for n in (1, 2))

    def frame(kind: bytes, visit: bytes) -> bytes:
        return b'id: 5\nevent: %b\ndata: {"id":"%b","status":"scheduled"}\n\n' % (kind, visit)

    first = frame(b"appointment.booked", one)
    stream = listeners.Stream(b"")
    chunks = [
        b"HTTP/1.1 200 OK\r\n\r\n1a\r\n", first[:30], first[30:-1], first[-1:] + b"\r\n",
        frame(b"appointment.moved", other), frame(b"appointment.booked", other) + b": heartbeat\n\n",
    ]  # fmt: skip
    for number, chunk in enumerate(chunks):
        stream.data_received(chunk)
        stream.times[-1] = float(number)
    assert stream.seen() == {one: 3.0, other: 5.0}
