"""Runs PostgreSQL for those who have none: one engine per home directory, shared by processes.

Synchronous, for the command line and the tests; the server itself only ever sees a URL. Nothing here
knows a table. What it leans on are kernel locks, which vanish with their holder however it dies:

- `engine.lock`     held while someone starts, adopts or stops the engine;
- `engine.sharers`  held shared by every process that uses it: who gets it alone was the last;
- the data directory itself, held by PostgreSQL and all its children through an inherited
  descriptor: while it is held, remains of an engine are alive, whatever its pid file says.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from holdfast.db import engine_binaries
from holdfast.db.database import CONNECTION_LOST
from holdfast.db.engine_binaries import Account, Binaries, EngineError
from holdfast.db.engine_memory import machine_bytes, memory_settings, stored_bytes
from holdfast.db.private_files import locked, locked_folder, sync_folder, write_private
from holdfast.db.statements import statement

__all__ = ["Engine", "EngineError", "default_home", "forget", "make_home", "running"]

OWNER, SERVER_ROLE = "holdfast_owner", "holdfast_server"
DATABASE = "holdfast"
Progress = Callable[[str], None]

_POLL_SECONDS = 0.05
_WATCH_SECONDS = 0.2
_STALL_SECONDS = 60.0
_LEFTOVERS_SECONDS = 5.0
_STARTS_MAX = 6
_LOG_BYTES_MAX = 8 << 20
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
# A socket's whole path must fit in about 104 bytes on every system.
_SOCKET_FOLDER_BYTES_MAX = 80

_CONFIG = Path(__file__).with_name("engine.conf")
_STATEMENTS_CONFIG = (
    "shared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track_utility = off\n"
)


@dataclass(frozen=True)
class Engine:
    """A running engine. Its port and password stay the same when it has to be started again."""

    home: Path
    port: int
    socket_directory: Path
    password: str
    version: str

    @property
    def admin_url(self) -> str:
        return self.url_for(OWNER, self.password, DATABASE)

    def url_for(self, role: str, password: str, database: str) -> str:
        """An asyncpg URL for a role over TCP on this machine only."""
        who = f"{quote(role, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{who}@127.0.0.1:{self.port}/{quote(database, safe='')}"


def default_home() -> Path:
    """A private directory of the user's; for root a system one that a plain account can reach."""
    if os.geteuid() == 0:
        return Path("/var/lib/holdfast")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "holdfast"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "holdfast"


@contextlib.contextmanager
def running(home: Path | None, progress: Progress) -> Iterator[Engine]:
    """The engine of `home`, started or adopted, and stopped if we are the last to leave.

    `progress` is also called from the watching thread. Raises EngineError with a plain sentence.
    """
    supervisor = _Supervisor(make_home(home), progress)
    engine = supervisor.enter()
    try:
        yield engine
    finally:
        supervisor.leave()


def forget(home: Path, progress: Progress) -> None:
    """Throws the database of this home away, with everything in it; the next to enter finds a new one."""
    with running(home, progress) as engine, ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, _drop(engine)).result()


def make_home(home: Path | None) -> Path:
    """The home directory, made if missing; the mode of one that exists is the owner's affair."""
    path = (home or default_home()).expanduser().resolve()
    if not path.exists():
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise EngineError(f"HOLDFAST_HOME {path} cannot be made: {error.strerror}.") from error
        # As root the engine's account has to pass through; what is inside is closed one by one.
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return path


class _Supervisor:
    """One process's share in the engine: enters, watches, leaves."""

    def __init__(self, home: Path, progress: Progress) -> None:
        self.home = home
        self.data = home / "data"
        self.log = home / "engine.log"
        self.progress = progress
        self.account: Account = engine_binaries.account(self.data)
        self.binaries: Binaries
        self.password = ""
        self.port = 0  # none chosen yet
        self.sockets = Path()
        self.version = ""
        self.process: psutil.Process | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._sharing = -1
        self._leaving = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="engine-watcher", daemon=True)

    def enter(self) -> Engine:
        engine_binaries.check_reachable(self.home, self.account)
        with locked(self.home / "engine.lock", self.progress):
            sharing = os.open(self.home / "engine.sharers", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(sharing, fcntl.LOCK_SH)
            self._sharing = sharing
            try:
                self._prepare()
                self._bring_up()
            except BaseException:
                os.close(sharing)
                raise
        self._watcher.start()
        return Engine(self.home, self.port, self.sockets, self.password, self.version)

    def leave(self) -> None:
        self._leaving.set()
        self._watcher.join()
        with locked(self.home / "engine.lock", self.progress):
            # Let go first: a lock cannot be turned from shared to exclusive while others hold it.
            fcntl.flock(self._sharing, fcntl.LOCK_UN)
            try:
                fcntl.flock(self._sharing, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                os.close(self._sharing)
            self._stop()

    # Before the start ---------------------------------------------------------------------------

    def _prepare(self) -> None:
        made_by = self.data / "PG_VERSION"
        major = int(made_by.read_text().split(".")[0]) if made_by.exists() else None
        self.binaries = engine_binaries.find(self.home, self.account, major)
        if self.binaries.behind:
            self.progress(f"PostgreSQL {self.binaries.version} is behind {engine_binaries.KNOWN}: update it.")
        self.password = self._own_password()
        if major is None:
            self._initialise()
        self.sockets = self._socket_folder()

    def _own_password(self) -> str:
        file = self.home / "engine.password"
        if not file.exists():
            if self.data.exists():
                raise EngineError(f"{file} is missing: restore it from a backup beside the data.")
            write_private(file, secrets.token_urlsafe(32))
            # Whoever owns the data owns the password; root reads both.
            self.account.own(file)
        return file.read_text().strip()

    def _initialise(self) -> None:
        """A new data directory. Made beside and renamed: a half-made one never has the name."""
        for leftover in self.home.glob("data.new-*"):
            # The initdb of a killed holdfast may still be writing; it ends by itself in a second or two.
            os.close(locked_folder(leftover))
            shutil.rmtree(leftover, ignore_errors=True)
        self.progress(f"Making a new database (PostgreSQL {self.binaries.version}).")
        building = self.home / f"data.new-{os.getpid()}"
        building.mkdir(mode=0o700)
        self.account.own(building)
        writing = locked_folder(building)
        answer = subprocess.run(
            [
                self.binaries.program("initdb"), "-D", str(building), "-U", OWNER,
                "--pwfile", str(self.home / "engine.password"), "--auth=scram-sha-256",
                "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--data-checksums",
            ],
            cwd=self.home, env=_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, pass_fds=(writing,), **self.account.run_as(),
        )  # fmt: skip
        os.close(writing)
        if answer.returncode != 0:
            shutil.rmtree(building, ignore_errors=True)
            raise EngineError(f"initdb failed in {self.home}: {answer.stderr.strip()}")
        with (building / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude_if_exists = 'holdfast.conf'\n")
        try:
            building.rename(self.data)
        except OSError as error:
            raise EngineError(f"{self.data} holds something that is no database: {error}") from None
        sync_folder(self.home)

    def _socket_folder(self) -> Path:
        """A folder for the socket, closed to others and short enough for the kernel."""
        path = self.home / "socket"
        if len(os.fsencode(path)) > _SOCKET_FOLDER_BYTES_MAX:
            path = Path(self._remembered().get("sockets") or tempfile.mkdtemp(prefix="holdfast-"))
        path.mkdir(mode=0o700, exist_ok=True)
        if path.stat().st_uid not in (os.geteuid(), self.account.uid):
            path = Path(tempfile.mkdtemp(prefix="holdfast-"))
        self.account.own(path)
        path.chmod(0o700)
        return path

    def _remembered(self) -> dict[str, str]:
        with contextlib.suppress(OSError, ValueError):
            known = json.loads((self.home / "engine.json").read_text())
            return {str(key): str(value) for key, value in known.items()}
        return {}

    def _choose_port(self) -> int:
        """The port of the last run, so that noted URLs stay true, else any free one."""
        wanted = self._remembered().get("port", "0")
        for port in (int(wanted) if wanted.isdigit() else 0, 0):
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
        raise EngineError("No port is free on 127.0.0.1.")

    # Start and adopt; always under engine.lock ----------------------------------------------------

    def _bring_up(self) -> None:
        """An engine that answers and is ours: adopted when one runs, started otherwise."""
        for _ in range(_STARTS_MAX):
            found = self._postmaster()
            if found is None:
                found = self._start()
            if self._wait_until_answers(found):
                self.process = found
                return
        raise EngineError(f"The database engine does not start; its log says: {self._last_words()}")

    def _postmaster(self) -> psutil.Process | None:
        """The server that the pid file names, if that number is really PostgreSQL on our data."""
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdigit():
            return None
        try:
            process = psutil.Process(int(lines[0]))
            if process.status() == psutil.STATUS_ZOMBIE or not process.name().startswith("postgres"):
                return None
            # Started by us it names the data; started by hand it at least works inside them.
            ours = str(self.data) in process.cmdline() or process.cwd() == str(self.data)
            return process if ours else None
        except psutil.Error:
            return None

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
        except OSError:
            return []

    def _start(self) -> psutil.Process:
        claim = self._claim_data()
        try:
            # Nobody lives on these data any more, so these files only bar the way: their number may
            # belong to a stranger by now, or to a zombie nobody buries.
            for stale in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
                stale.unlink(missing_ok=True)
            self._write_config()
            if not self.port:
                self.port = self._choose_port()
            self._remember()
            with os.fdopen(os.open(self.log, _APPEND, 0o600), "ab") as log:
                self._child = subprocess.Popen(
                    [
                        self.binaries.program("postgres"), "-D", str(self.data),
                        "-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}",
                        "-c", f'unix_socket_directories="{self.sockets}"',
                    ],
                    cwd=self.home, env=_environment(), stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, pass_fds=(claim,), start_new_session=True,
                    **self.account.run_as(),
                )  # fmt: skip
        finally:
            os.close(claim)
        return psutil.Process(self._child.pid)

    def _claim_data(self) -> int:
        """The data directory's lock as a descriptor for PostgreSQL to inherit.

        After a kill of the server its children need a moment to notice; those that do not are
        ended, since a new server must not start beside them.
        """
        descriptor = os.open(self.data, os.O_RDONLY | os.O_DIRECTORY)
        patience = time.monotonic() + _LEFTOVERS_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                if time.monotonic() > patience:
                    self._end_leftovers()
                    patience += _LEFTOVERS_SECONDS
                time.sleep(_POLL_SECONDS)

    def _end_leftovers(self) -> None:
        self.progress("Ending what is left of a killed database engine.")
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                # PostgreSQL's children work inside their data directory.
                if process.name().startswith("postgres") and process.cwd() == str(self.data):
                    process.kill()

    def _write_config(self) -> None:
        text = _CONFIG.read_text(encoding="utf-8") + "\n"
        text += memory_settings(stored_bytes(self.data), machine_bytes())
        if self.binaries.has_library("pg_stat_statements"):
            text += _STATEMENTS_CONFIG
        file = self.data / "holdfast.conf"
        file.write_text(text, encoding="utf-8")
        self.account.own(file)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _remember(self) -> None:
        known = {"port": str(self.port), "sockets": str(self.sockets)}
        write_private(self.home / "engine.json", json.dumps(known))

    # Wait -----------------------------------------------------------------------------------------

    def _wait_until_answers(self, process: psutil.Process) -> bool:
        """Waits as long as the start or the recovery moves. False: it has gone, try again."""
        began = moved = time.monotonic()
        told = began
        last: object = None
        while _alive(process, self._child):
            if self._leaving.is_set():
                raise EngineError("Stopped while the engine was starting.")
            if self._answers():
                return True
            now = time.monotonic()
            state = self._movement(process)
            if state != last:
                last, moved = state, now
            elif now - moved > _STALL_SECONDS:
                raise EngineError(
                    f"The database engine (process {process.pid}) has not moved for "
                    f"{_STALL_SECONDS:.0f} s; its log says: {self._last_words()}"
                )
            if now - told > 2:
                told = now
                self.progress(f"The database is recovering ({now - began:.0f} s): {self._last_words()}")
            time.sleep(_POLL_SECONDS)
        self._after_failed_start()
        return False

    def _after_failed_start(self) -> None:
        words = self._last_words(lines=6)
        if "could not create any TCP/IP sockets" in words and not self._watcher.is_alive():
            self.port = 0
        time.sleep(4 * _POLL_SECONDS)

    def _answers(self) -> bool:
        """True once a query proves that who listens is PostgreSQL on our data."""
        lines = self._pid_file()
        if len(lines) < 5 or not lines[3].strip().isdigit():
            return False
        port = int(lines[3])
        with ThreadPoolExecutor(1) as aside:  # the caller may be inside an event loop
            try:
                where, self.version = aside.submit(asyncio.run, _ask(port, self.password)).result()
            except CONNECTION_LOST:  # it may also die while it is asked
                return False
            except asyncpg.InvalidAuthorizationSpecificationError as error:
                raise EngineError(
                    f"The engine in {self.home} refuses the password in engine.password: {error}"
                ) from None
        if Path(where).resolve() != self.data:
            raise EngineError(f"Port {port} belongs to another PostgreSQL, on {where}.")
        self.port, self.sockets = port, Path(lines[4].strip() or self.sockets)
        return True

    def _movement(self, process: psutil.Process) -> object:
        """Changes while recovery goes on: the log grows or a child uses the processor."""
        used = 0.0
        with contextlib.suppress(psutil.Error):
            for one in (process, *process.children()):
                used += sum(one.cpu_times()[:2])
        return (self.log.stat().st_size if self.log.exists() else 0, used)

    def _last_words(self, lines: int = 1) -> str:
        try:
            text = self.log.read_bytes()[-4000:].decode(errors="replace")
        except OSError:
            return "nothing"
        return " / ".join(text.strip().splitlines()[-lines:])

    # Watch and stop -------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Starts the engine again when it dies; the first of the sharers does it, the rest adopt."""
        pause = _WATCH_SECONDS
        while not self._leaving.wait(pause):
            if self.process is not None and _alive(self.process, self._child):
                pause = _WATCH_SECONDS
                continue
            self.progress("The database engine has died; starting it again.")
            try:
                with locked(self.home / "engine.lock", self.progress):
                    self._bring_up()
                self.progress("The database engine is back.")
            except Exception as error:  # noqa: BLE001 whatever it is, nobody else would bring it back
                self.progress(str(error) or type(error).__name__)
                pause = min(pause * 2, 5.0)

    def _stop(self) -> None:
        """Fast shutdown: open transactions roll back, everything committed is on disk."""
        process = self._postmaster()
        if process is None:
            return
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGINT)
        moved, last = time.monotonic(), self._movement(process)
        while _alive(process, self._child):
            state = self._movement(process)
            if state != last:
                last, moved = state, time.monotonic()
            elif time.monotonic() - moved > _STALL_SECONDS:
                self.progress("The database engine does not stop; it will recover at its next start.")
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGQUIT)
                return
            time.sleep(_POLL_SECONDS)


async def _drop(engine: Engine) -> None:
    connection = await asyncpg.connect(engine.url_for(OWNER, engine.password, "postgres"))
    try:
        await connection.execute(statement("engine_drop_database"))
    finally:
        await connection.close()


async def _ask(port: int, password: str) -> tuple[str, str]:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user=OWNER, password=password, database="postgres", timeout=5
    )
    try:
        row = (await connection.fetch(statement("engine_identity")))[0]
        if not row["has_database"]:
            await connection.execute(statement("engine_create_database"))
        return row["data_directory"], row["server_version"]
    finally:
        await connection.close()


def _alive(process: psutil.Process, child: "subprocess.Popen[bytes] | None") -> bool:
    if child is not None and child.pid == process.pid:
        return child.poll() is None  # also buries it: an unburied child would count as alive
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _environment() -> dict[str, str]:
    """A clean one: PGDATA, PGPORT, locale and time zone of the caller must not reach the engine."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
