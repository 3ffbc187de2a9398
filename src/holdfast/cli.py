"""The `holdfast` command: flags and printing, nothing else.

Everything heavy is imported inside the commands: `holdfast --help` must answer in 0.3 seconds.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast import __version__
from holdfast.plain import PlainError

if TYPE_CHECKING:
    from holdfast.settings import Settings

# A paragraph that opens with \b keeps its lines as they are.
_EPILOG = """
\b
First steps:
  holdfast demo          a running server with two invented clinic groups
  holdfast serve         your own installation, on the embedded PostgreSQL
  holdfast organization create --name "Northside Therapy" --email you@example.org
  holdfast doctor        what is wrong here, in plain words

\b
Settings are HOLDFAST_* variables or keys of holdfast.toml; flags win:
  HOLDFAST_HOME                 where the embedded database lives
  HOLDFAST_DATABASE_URL         a PostgreSQL 18 of your own instead: the server's plain role
  HOLDFAST_DATABASE_ADMIN_URL   the owner of its tables, for migrate
  HOLDFAST_SECRET_KEY           seals texts about people; 32 bytes in base64
"""

app = typer.Typer(
    name="holdfast",
    help="Clinic scheduling that cannot double-book, and can prove it.",
    epilog=_EPILOG,
    no_args_is_help=True,
    # Rich would double the time of --help and not add a word to it.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
organization = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Create the organizations that use this installation.",
)
app.add_typer(organization, name="organization")
load = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Data for load tests with Locust: make it, and delete it again.",
)
app.add_typer(load, name="load")

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")]


def main() -> None:
    """The entry point: errors meant for people are printed as one sentence."""
    try:
        app()
    except PlainError as error:
        typer.secho(f"holdfast: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        typer.echo(f"holdfast {__version__}")
        raise typer.Exit


@app.command(
    short_help="Start a server with invented clinics, people and visits.",
    epilog="\b\nExamples:\n  holdfast demo\n  holdfast demo --port 9000 --fresh\n  holdfast demo --json | jq -r .url",
)
def demo(
    port: Port = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw the demo's data away and seed anew.")] = False,
) -> None:
    """Start a server with invented clinics, people and visits. Running it again finds the same data.

    Without --port it takes 8080, or any free port when that is taken.
    """
    from holdfast import launch

    settings = _settings(port=port)
    with launch.stopping_cleanly():
        listening = launch.listen(settings.host, settings.port, or_any=port is None)
        launch.mark_demo(settings, fresh, _tell)
        from holdfast import seed

        with launch.prepared(settings, _tell) as full:
            seeded = seed.run(full, profile="demo", seed=1, progress=_tell)
            code = launch.serve(full, listening, lambda url: _demo_ready(url, seeded, full, as_json), _tell)
    raise typer.Exit(code)


def _demo_ready(url: str, seeded: Any, settings: "Settings", as_json: bool) -> None:
    import msgspec

    if as_json:
        line = {
            "url": url,
            "organization_id": seeded.organization_id,
            "clinic_ids": seeded.clinic_ids,
            "users": seeded.users,
            "database_url": settings.database_url,
        }
        print(msgspec.json.encode(line).decode(), flush=True)
        return
    from holdfast.seed import welcome

    typer.echo(welcome.text(url, seeded))


@app.command(
    short_help="Run the server.",
    epilog="\b\nExamples:\n  holdfast serve\n  holdfast serve --host 0.0.0.0 --port 8000 --workers 2\n"
    "  HOLDFAST_DATABASE_URL=postgresql://holdfast_server:…@db/holdfast holdfast serve",
)
def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Server processes.")] = None,
) -> None:
    """Run the server: on the embedded database (migrated by itself), or on HOLDFAST_DATABASE_URL.

    With a database of your own, run `holdfast migrate` first. SIGTERM finishes what is under way and leaves.
    """
    from holdfast import launch

    settings = _settings(host=host, port=port, workers=workers)
    with launch.stopping_cleanly():
        listening = launch.listen(settings.host, settings.port)
        with launch.prepared(settings, _tell) as full:
            code = launch.serve(
                full, listening, lambda url: print(f"Holdfast is ready: {url}", flush=True), _tell, _first_run
            )
    raise typer.Exit(code)


def _first_run(token: str) -> None:
    print(
        "Nobody can sign in yet. Set it up with POST /api/v1/setup and this token, which is good until somebody has"
        f" and until this server stops:\n  {token}\nor with `holdfast organization create`.",
        flush=True,
    )


@app.command(
    short_help="Bring the database to this version's schema.",
    epilog="\b\nExamples:\n  holdfast migrate\n"
    "  HOLDFAST_DATABASE_ADMIN_URL=postgresql://owner:…@db/holdfast holdfast migrate --create-role\n\n"
    "The server connects as the plain role named in HOLDFAST_DATABASE_URL: neither superuser nor owner of the tables.",
)
def migrate(
    create_role: Annotated[
        bool,
        typer.Option(
            "--create-role", help="Make the role of HOLDFAST_DATABASE_URL, with that URL's password."
        ),
    ] = False,
) -> None:
    """Bring the database to this version's schema. Safe at any time and as often as you like."""
    from holdfast import launch

    report = launch.migrate_now(_settings(), create_role, _tell)
    if report.fresh:
        typer.echo("The schema was made from nothing.")
    elif report.applied:
        typer.echo(f"Applied: {', '.join(report.applied)}.")
    else:
        typer.echo("The schema is that of this version.")


@organization.command(
    epilog='\b\nExample:\n  holdfast organization create --name "Northside Therapy" --time-zone Europe/Berlin '
    "--email you@example.org\n\nThe password is asked for; in scripts pipe it in."
)
def create(
    name: Annotated[str, typer.Option(help="What the organization is called.")],
    email: Annotated[str, typer.Option(help="Its first administrator.")],
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin or America/New_York.")] = "UTC",
    require_totp: Annotated[
        bool, typer.Option(help="Admins must enrol a second factor before they can do anything else.")
    ] = True,
) -> None:
    """Create an organization with its first administrator."""
    from holdfast import launch

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    with launch.prepared(_settings(), _tell) as full:
        made = launch.create_organization(full, name, time_zone, email, password, require_totp=require_totp)
    typer.echo(made)


@app.command(
    short_help="Fill the database with invented organizations.",
    epilog="\b\nExamples:\n  holdfast seed --profile small\n  holdfast seed --profile storm --seed 7",
)
def seed(
    profile: Annotated[str, typer.Option(help="small, medium, large or storm.")] = "small",
    number: Annotated[int, typer.Option("--seed", help="Same number, same data.")] = 1,
) -> None:
    """Fill the database with invented organizations. The same number gives the same data."""
    _one_of("--profile", profile, ("small", "medium", "large", "storm"))
    from holdfast import launch
    from holdfast import seed as seeding

    with launch.prepared(_settings(), _tell) as full:
        seeded = seeding.run(full, profile=profile, seed=number, progress=_tell)
    for user in seeded.users:
        typer.echo(f"{user.role:<14}{user.email:<40}{user.password}")


OperatorToken = Annotated[
    str, typer.Option("--token", envvar="HOLDFAST_OPERATOR_TOKEN", help="The operator token of that server.")
]


@load.command(
    "set-up",
    short_help="Make the organizations that the load tests run on.",
    epilog="\b\nExample:\n  holdfast load set-up --url http://localhost:8000 --token $HOLDFAST_OPERATOR_TOKEN\n\n"
    "The server must have been started with HOLDFAST_OPERATOR_TOKEN. The organizations are scratch ones, apart from all others.",
)
def set_up(
    token: OperatorToken,
    url: Annotated[str, typer.Option(help="Where the server answers.")] = "http://127.0.0.1:8080",
    out: Annotated[Path, typer.Option(help="Where ids and tokens are written to.")] = Path("load-test.json"),
    number: Annotated[int, typer.Option("--seed", help="Same number, same data.")] = 1,
) -> None:
    """Make the organizations that the load tests run on, and a file that tells of them; print variables and what to run."""
    from holdfast.proof.locust import fixture

    made = fixture.set_up(url, token, out, number, _tell)
    folder = Path(fixture.__file__).parent
    for line in made.variables():
        typer.echo(line)
    _tell(f"Now: HOLDFAST_LOAD_FIXTURE={out} locust -f {folder / 'locustfile.py'}")
    _tell(f"or:  HOLDFAST_LOAD_FIXTURE={out} locust -f {folder / 'units.py'}")


@load.command(
    "clean-up",
    short_help="Delete the organizations that `load set-up` made.",
    epilog="\b\nExample:\n  holdfast load clean-up --token $HOLDFAST_OPERATOR_TOKEN",
)
def clean_up(
    token: OperatorToken,
    fixture_file: Annotated[Path, typer.Option("--fixture", help="The file that set-up wrote.")] = Path(
        "load-test.json"
    ),
) -> None:
    """Delete the organizations that `load set-up` made, with every row of them, and the file."""
    from holdfast.proof.locust import fixture

    fixture.clean_up(fixture_file, token, _tell)


@app.command(
    short_help="Say in plain words what is wrong here, and what to do.",
    epilog="\b\nExamples:\n  holdfast doctor\n  holdfast doctor --port 8000\n\n"
    "It changes nothing. It leaves with 1 when the server must not take work like this.",
)
def doctor(host: Host = None, port: Port = None) -> None:
    """Say in plain words what is wrong here, and what to do: engine, schema, durability, role, pooler, port, disk."""
    from holdfast import launch

    problems = launch.examine(_settings(host=host, port=port), _tell)
    for problem in problems:
        typer.secho(
            ("✗ " if problem.grave else "! ") + problem.sentence, fg="red" if problem.grave else "yellow"
        )
        typer.echo(f"  → {problem.remedy}")
    if not problems:
        typer.secho("✓ All is well.", fg="green")
    raise typer.Exit(1 if any(problem.grave for problem in problems) else 0)


@app.command(
    short_help="Check every invariant on the live database.",
    epilog="\b\nExample:\n  holdfast verify\n\nIt only reads, in short transactions; a busy server may go on.",
)
def verify() -> None:
    """Check every invariant on the live database: no overlaps, units that add up, an unbroken audit chain."""
    from holdfast import launch
    from holdfast.proof import verify as verifying

    with launch.prepared(_settings(), _tell, migrating=False) as full:
        code = verifying.run(full, progress=_tell)
    raise typer.Exit(code)


@app.command(
    short_help="Measure this machine, and what share of it Holdfast reaches.",
    epilog="\b\nExamples:\n  holdfast bench\n  holdfast bench --only S4,S8 --out bench-results/today.json\n"
    "  holdfast bench --large --visits 1000000\n\n"
    "--large measures what growth costs: it fills ten million visits (half an hour, 68 GB of disk) and then books and "
    "reads among them, among 100,000 and among none.",
)
def bench(
    out: Annotated[
        Path, typer.Option(help="Where the raw results go: a folder, or a file ending in .json.")
    ] = Path("bench-results"),
    only: Annotated[str, typer.Option(help="Such as S4,S7: these and the yardsticks they need.")] = "",
    seconds: Annotated[float, typer.Option(min=0.1, help="How long each measurement runs.")] = 5.0,
    large: Annotated[
        bool, typer.Option("--large", help="Growth instead: S13, and S7 and S8 at that size.")
    ] = False,
    visits: Annotated[int, typer.Option(help="With --large: how many are stored.")] = 10_000_000,
    organizations: Annotated[int, typer.Option(help="With --large: in how many organizations.")] = 200,
) -> None:
    """Measure this machine: what the database can do alone, and what share of it Holdfast reaches."""
    if large:
        from holdfast.proof.bench import large as bench_large
        from holdfast.seed import bulk

        if only:
            raise typer.BadParameter("--large measures all that it measures.", param_hint="--only")
        raise typer.Exit(bench_large.run(out, seconds, visits, organizations, bulk.fill, _tell))
    from holdfast.proof.bench import run as benching

    raise typer.Exit(benching.run(out=out, seconds=seconds, progress=_tell, only=only))


@app.command(
    short_help="Show that it cannot double-book: every scenario, checked, in one report.",
    epilog="\b\nExamples:\n  holdfast prove\n  holdfast prove --profile full --baseline docs/proof/report.json\n"
    "  holdfast prove --only storm,contention --seed 7\n  holdfast prove --profile soak --hours 4\n"
    "  holdfast prove --url https://clinic.example --token …\n\n"
    "It leaves with 0 for GO, 1 for NO-GO, 2 when the run says nothing. Without --url it makes an engine and a server of "
    "its own and throws them away; with it, scratch organizations that are deleted afterwards.",
)
def prove(
    profile: Annotated[
        str, typer.Option(help="smoke (minutes), full (the seeds' durations) or soak.")
    ] = "smoke",
    only: Annotated[str, typer.Option(help="Such as storm,contention: these scenarios alone.")] = "",
    number: Annotated[int, typer.Option("--seed", help="Same number, same data and same requests.")] = 1,
    out: Annotated[
        Path,
        typer.Option(help="Where report.html, .md and .json go, and those of earlier runs are kept by day."),
    ] = Path("prove-results"),
    baseline: Annotated[
        Path | None, typer.Option(help="The report.json of an earlier run to be held against.")
    ] = None,
    url: Annotated[str, typer.Option(help="An installation that is running, over HTTP alone.")] = "",
    token: Annotated[
        str,
        typer.Option(envvar="HOLDFAST_OPERATOR_TOKEN", help="With --url: its HOLDFAST_OPERATOR_TOKEN."),
    ] = "",
    hours: Annotated[float, typer.Option(min=0.001, help="With --profile soak: for how long.")] = 4.0,
) -> None:
    """Show that it cannot double-book and how fast it is: the load tests of the seeds, each checked against what is stored."""
    from holdfast.proof.prove import run as proving
    from holdfast.proof.prove.progress import Progress

    wanted = proving.Wanted(
        profile=profile, only=only, seed=number, out=out, baseline=baseline, url=url, token=token, hours=hours
    )
    with Progress(_tell) as progress:
        code = proving.run(wanted, progress.say)
    raise typer.Exit(code)


def _settings(**flags: object) -> "Settings":
    import os

    from holdfast.settings import load

    return load(os.environ, **flags)


def _tell(text: str) -> None:
    """Progress goes to standard error: what a script reads is on standard output."""
    typer.echo(text, err=True)


def _one_of(flag: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise typer.BadParameter(f"{value} is none of {', '.join(known)}.", param_hint=flag)
