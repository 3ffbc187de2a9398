"""What `serve`, `demo` and the other commands share: a database that is there, a secret, and a running server.

Decides nothing about requests; the application is made by `holdfast.app` inside each worker.
"""

import asyncio
import errno
import http.client
import ipaddress
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from holdfast import secrets
from holdfast.api.http_protocol import WholeAnswers
from holdfast.commands import organizations, setup
from holdfast.commands.organizations import NewOrganization
from holdfast.db import doctor, engine
from holdfast.db.database import Database
from holdfast.db.migrate import MigrationReport, migrate
from holdfast.errors import Invalid, Refused
from holdfast.plain import PlainError
from holdfast.settings import Settings, load
from holdfast.vault import Vault

if TYPE_CHECKING:
    from holdfast.app import Application

Progress = Callable[[str], None]

# A server killed a moment ago lets its workers finish their requests; their port is free at once after.
_PORT_PATIENCE_SECONDS = 2.0
# On top of the requests' own time at a stop: closing lanes, pools, the engine.
_EXIT_GRACE_SECONDS = 5.0
_READY_WARNING_SECONDS = 15.0


class LaunchError(PlainError):
    """The server cannot start; the message says what to do."""


def home_of(settings: Settings) -> Path | None:
    """The embedded engine's home, None with a database of one's own."""
    if settings.database_url:
        return None
    return Path(settings.home).expanduser() if settings.home else engine.default_home()


@contextmanager
def prepared(settings: Settings, progress: Progress, migrating: bool = True) -> Iterator[Settings]:
    """The settings with both URLs and the secret filled in, while the database they name is there.

    Embedded: the engine is started or adopted, and migrated unless told not to. By URL: nothing is touched.
    Raises EngineError, MigrationError, SecretMissing.
    """
    home = home_of(settings)
    if home is None:
        secrets.secret(settings, None)
        yield settings
        return
    with engine.running(home, progress) as running:
        password = secrets.server_password(running.home)
        full = msgspec.structs.replace(
            settings,
            database_url=running.url_for(engine.SERVER_ROLE, password, engine.DATABASE),
            database_admin_url=running.admin_url,
            secret_key=secrets.text(secrets.secret(settings, running.home)),
            home=str(running.home),
        )
        if migrating:
            asyncio.run(migrate(running.admin_url, engine.SERVER_ROLE, password, progress, full))
        for problem in doctor.disk_problems(running.home):
            progress(f"{problem.sentence} {problem.remedy}")
        yield full


def mark_demo(settings: Settings, fresh: bool, progress: Progress) -> None:
    """Notes that a new home is a demo's, and with `fresh` throws the database away: of a demo's home only."""
    home = home_of(settings)
    if home is None:
        if fresh:
            raise LaunchError("--fresh works on the embedded database only: drop and create yours by hand.")
        return
    home = engine.make_home(home)
    mark, has_data = home / "demo", (home / "data").exists()
    if not has_data:
        mark.touch(mode=0o600)
    elif fresh and not mark.exists():
        raise LaunchError(f"{home} was not made by `holdfast demo`: --fresh does not touch it.")
    elif fresh:
        progress("Throwing the demo's data away.")
        engine.forget(home, progress)


def migrate_now(settings: Settings, create_role: bool, progress: Progress) -> MigrationReport:
    """What `holdfast migrate` does: the embedded database, or the one of the two URLs."""
    home = home_of(settings)
    if home is not None:
        with engine.running(home, progress) as running:
            password = secrets.server_password(running.home)
            return asyncio.run(migrate(running.admin_url, engine.SERVER_ROLE, password, progress, settings))
    if not settings.database_admin_url:
        raise LaunchError(
            "Set HOLDFAST_DATABASE_ADMIN_URL to the URL of the tables' owner: the server's role is not."
        )
    server = urlsplit(settings.database_url)
    if not server.username:
        raise LaunchError(
            "HOLDFAST_DATABASE_URL must name the server's role: postgresql://role:password@host/database."
        )
    password_given = unquote(server.password or "") if create_role else None
    role = unquote(server.username)
    return asyncio.run(migrate(settings.database_admin_url, role, password_given, progress, settings))


def create_organization(
    settings: Settings, name: str, time_zone: str, email: str, password: str, *, require_totp: bool
) -> str:
    """What `holdfast organization create` does; `settings` come from `prepared`. The organization's id.

    Raises LaunchError with a sentence for whatever cannot be accepted.
    """
    new = NewOrganization(
        name=name, time_zone=time_zone, admin_email=email, admin_password=password,
        settings={"require_totp_for_admins": require_totp},
    )  # fmt: skip

    async def create() -> str:
        database = Database(settings)
        await database.open()
        try:
            made = await organizations.create_organization(database, Vault(secrets.load(settings)), new)
        finally:
            await database.close()
        return made.organization_id

    try:
        return asyncio.run(create())
    except Invalid as error:
        wrong = "; ".join(f"{each.field.removeprefix('admin_')} {each.message}" for each in error.errors)
        raise LaunchError(f"Nothing was created: {wrong}.") from None
    except Refused as error:
        raise LaunchError(f"Nothing was created. {error.detail}") from None


def examine(settings: Settings, progress: Progress) -> list[doctor.Problem]:
    """Everything `holdfast doctor` finds. Changes nothing but, for a moment, starts a stopped embedded engine."""
    found = doctor.port_problems(settings.host, settings.port)
    home = home_of(settings)
    if home is None:
        try:
            secrets.secret(settings, None)
        except secrets.SecretMissing as error:
            found.append(doctor.Problem("no_secret", "There is no usable secret.", str(error)))
        return found + asyncio.run(doctor.database_problems(settings.database_url, settings))
    if not (home / "data").exists():
        progress(f"There is no database in {home} yet: `holdfast demo` or `holdfast serve` makes one.")
        return found
    found += doctor.disk_problems(home)
    with engine.running(home, progress) as running:
        url = running.url_for(engine.SERVER_ROLE, secrets.server_password(running.home), engine.DATABASE)
        return found + asyncio.run(doctor.database_problems(url, settings))


def worker_environment(settings: Settings) -> dict[str, str]:
    """Settings as variables for the workers. Without the owner's URL: a server has no use for it."""
    handed = msgspec.structs.replace(settings, database_admin_url="")
    values = {name: getattr(handed, name) for name in handed.__struct_fields__}
    return {f"HOLDFAST_{name.upper()}": str(value) for name, value in values.items()}


def listen(host: str, port: int, or_any: bool = False) -> socket.socket:
    """The listening socket, taken before anything slow starts. `or_any`: another port rather than none.

    Raises LaunchError with a sentence when the port is taken.
    """
    patience = time.monotonic() + (0 if or_any else _PORT_PATIENCE_SECONDS)
    while True:
        taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, port))
            taken.set_inheritable(True)
            return taken
        except OSError as error:
            taken.close()
            if error.errno != errno.EADDRINUSE:
                raise LaunchError(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
        if or_any:
            return listen(host, 0)
        if time.monotonic() > patience:
            raise LaunchError(
                f"Port {port} on {host} is taken{doctor.taken_by(port)}: choose another with --port, "
                "or --port 0 for any free one."
            )
        time.sleep(0.1)


def serve(
    settings: Settings, listening: socket.socket, ready: Callable[[str], None], progress: Progress,
    first_run: Callable[[str], None] | None = None,
) -> int:  # fmt: skip
    """Runs the server until it is told to stop; `settings` come from `prepared`. Returns the exit code.

    `ready` is called once, from a thread, with the URL when the server answers; then `first_run`, if the installation is
    empty, with the token that sets it up. All workers know the token by its hash.
    """
    if first_run is not None:
        token = setup.new_token()
        settings = msgspec.structs.replace(settings, setup_token_sha256=setup.hashed(token))
        ready = partial(_ready_or_empty, settings, ready, partial(first_run, token))
    os.environ.update(worker_environment(settings))
    url = url_of(listening)
    config = uvicorn.Config(
        "holdfast.launch:create",
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http=WholeAnswers,
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=max(1, round(settings.shutdown_deadline_seconds)),
        timeout_worker_healthcheck=15,
    )
    _quiet_logs()
    stopped = threading.Event()
    threading.Thread(target=_announce, args=(url, ready, progress, stopped), daemon=True).start()
    try:
        if settings.workers > 1:
            return _several(config, listening, settings)
        return _single(config, listening, settings)
    except KeyboardInterrupt:
        return 0
    finally:
        stopped.set()
        listening.close()


def _ready_or_empty(
    settings: Settings, ready: Callable[[str], None], first_run: Callable[[], None], url: str
) -> None:
    ready(url)
    if asyncio.run(_is_empty(settings)):
        first_run()


async def _is_empty(settings: Settings) -> bool:
    database = Database(settings)
    await database.open()
    try:
        return await setup.is_empty(database)
    finally:
        await database.close()


def create() -> "Application":
    """What each worker runs: the application, in a process that does not outlive its parent."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    from holdfast.app import create as application  # the parent of many needs none

    return application()


@contextmanager
def stopping_cleanly() -> Iterator[None]:
    """SIGTERM unwinds the stack like Ctrl-C, so that the engine is left in order; uvicorn takes over while it runs."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def url_of(listening: socket.socket) -> str:
    """The address a person can open; a wildcard address is told as this machine's own."""
    host, port = listening.getsockname()[:2]
    if not ipaddress.ip_address(host).is_unspecified:
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return f"http://127.0.0.1:{port}"


class _Server(uvicorn.Server):
    """A server in this very process that ends even if something in it hangs at the stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        _end_in((self.config.timeout_graceful_shutdown or 10) + _EXIT_GRACE_SECONDS)


class _Workers(Multiprocess):
    """Uvicorn's own supervisor waits for ever for a worker that hangs."""

    def join_all(self) -> None:
        patience = time.monotonic() + (self.config.timeout_graceful_shutdown or 10) + _EXIT_GRACE_SECONDS
        for process in self.processes:
            process.process.join(max(0.0, patience - time.monotonic()))
            if process.process.is_alive():
                process.process.kill()
            process.process.join()


def _single(config: uvicorn.Config, listening: socket.socket, settings: Settings) -> int:
    server = _Server(config)
    server.run(sockets=[listening])
    return 0 if server.started else STARTUP_FAILURE


def _several(config: uvicorn.Config, listening: socket.socket, settings: Settings) -> int:
    listening.listen(config.backlog)
    workers = _Workers(config, sockets=[listening])
    workers.run()
    failed = any(process.exitcode == STARTUP_FAILURE for process in workers.processes)
    return STARTUP_FAILURE if failed else 0


def _follow(parent: Any) -> None:
    """Ends this worker when its parent has been killed: it would hold the port against the next start."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    _end_in(load().shutdown_deadline_seconds + _EXIT_GRACE_SECONDS)


def _end_in(seconds: float) -> None:
    last = threading.Timer(seconds, os._exit, args=(1,))
    last.daemon = True
    last.start()


def _announce(url: str, ready: Callable[[str], None], progress: Progress, stopped: threading.Event) -> None:
    """Tells once that the server is ready, and once why it is not when that takes long."""
    began, told = time.monotonic(), False
    while not stopped.wait(0.05):
        status, body = _readiness(url)
        if status == 200:
            ready(url)
            return
        if not told and status is not None and time.monotonic() - began > _READY_WARNING_SECONDS:
            told = True
            progress(f"The server runs at {url} but takes no work yet: {body}")


def _readiness(url: str) -> tuple[int | None, str]:
    try:
        with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)) as connection:
            connection.request("GET", "/health/ready")
            answer = connection.getresponse()
            return answer.status, answer.read(2000).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None, ""


def _quiet_logs() -> None:
    """Uvicorn's own lines go to standard error only from warnings on; the application logs for itself."""
    if not logging.getLogger().handlers:
        logging.basicConfig(
            stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
        )
