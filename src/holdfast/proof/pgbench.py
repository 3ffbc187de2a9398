"""The yardsticks that PostgreSQL gives by itself: pgbench scripts over the tables of `sql/yardstick_tables.sql`.
Starts nothing that outlives the call.
"""

import os
import re
import subprocess
from pathlib import Path

import msgspec

from holdfast.db import engine_binaries
from holdfast.db.engine import OWNER, Engine
from holdfast.plain import PlainError
from holdfast.proof.statements import script

DATABASE = "yardsticks"
_THREADS = 2
_GRACE_SECONDS = 30.0
_RATE = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)", re.MULTILINE)
_COUNT = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)


class Pgbench(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of pgbench reported."""

    n: int
    per_second: float
    mean_ms: float
    failed: int


class YardstickFailed(PlainError):
    """pgbench ended with an error; the message is its own."""


def run(
    engine: Engine,
    name: str,
    clients: int,
    seconds: float | None = None,
    transactions: int | None = None,
    variables: dict[str, int] | None = None,
) -> Pgbench:
    """Runs `sql/<name>.sql` for whole `seconds` or for `transactions` of each client. Raises YardstickFailed."""
    command = [
        program(engine.home), "--host=127.0.0.1", f"--port={engine.port}", f"--username={OWNER}", "--no-vacuum",
        "--protocol=prepared", f"--client={clients}", f"--jobs={min(_THREADS, clients)}",
        f"--file={script(name)}",
    ]  # fmt: skip
    if transactions is not None:
        command.append(f"--transactions={transactions}")
    else:
        command.append(f"--time={max(1, round(seconds or 1.0))}")
    command += [f"--define={key}={value}" for key, value in (variables or {}).items()]
    answer = subprocess.run(
        [*command, DATABASE],
        env={"PATH": os.environ.get("PATH", ""), "PGPASSWORD": engine.password, "PGTZ": "UTC", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600 if transactions is not None else (seconds or 1.0) + _GRACE_SECONDS,
        check=False,
    )
    if answer.returncode != 0:
        raise YardstickFailed(f"pgbench {name}: {answer.stderr.strip()[-500:]}")
    return parsed(answer.stdout)


def parsed(report: str) -> Pgbench:
    """The figures of pgbench's own report. Raises YardstickFailed if it is not one."""
    rate, count, mean = _RATE.search(report), _COUNT.search(report), _LATENCY.search(report)
    if rate is None or count is None or mean is None:
        raise YardstickFailed(f"pgbench reported no rate: {report[-500:]}")
    failed = _FAILED.search(report)
    return Pgbench(
        n=int(count[1]),
        per_second=float(rate[1]),
        mean_ms=float(mean[1]),
        failed=int(failed[1]) if failed else 0,
    )


def program(home: Path) -> str:
    """pgbench of the same installation that the engine of this home runs."""
    major = int((home / "data" / "PG_VERSION").read_text().split(".")[0])
    return engine_binaries.find(home, engine_binaries.account(home / "data"), major).program("pgbench")
