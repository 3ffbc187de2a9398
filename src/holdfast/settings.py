"""Every setting and every limit, unit last. Nothing else reads the environment.

Order: `HOLDFAST_*` variables, then `holdfast.toml` (or the file named by `HOLDFAST_CONFIG`),
then the defaults here. A name that is not here is an error, so a typing slip cannot pass unseen.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from holdfast.plain import PlainError


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process's settings. Immutable: what a run was started with is what it runs with."""

    # Where things are
    database_url: str = ""
    """The server's own plain role. Empty: the embedded engine under `home`."""
    database_admin_url: str = ""
    """The owner of the tables; used by `migrate`, `organization create` and `seed` only."""
    database_pooler: Literal["none", "transaction"] = "none"
    """`transaction`: a pooler that cannot keep prepared statements stands between."""
    home: str = ""
    """Data of the embedded engine and its generated secrets. Empty: a private default."""
    secret_key: str = ""
    """32 bytes in base64: wraps organization keys and signs tokens. Generated for the embedded engine."""
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    # Time one request may take
    request_deadline_seconds: float = 3.0
    shutdown_deadline_seconds: float = 10.0

    # Database
    database_wait_seconds: float = 120.0
    pool_connections_max: int = 8
    lane_queue_requests_max: int = 1000
    lane_batch_requests_max: int = 128
    lane_idle_seconds: float = 60.0
    lane_attempt_seconds_max: float = 2.0
    lock_timeout_seconds: float = 2.0
    statement_timeout_seconds: float = 3.0
    transaction_timeout_seconds: float = 5.0
    idle_in_transaction_timeout_seconds: float = 1.0

    # What a request may carry
    request_body_bytes_max: int = 1 << 20
    request_drain_bytes_max: int = 64 << 20
    request_nesting_max: int = 32
    notes_characters_max: int = 10_000
    hold_ttl_seconds: int = 300
    hold_ttl_seconds_max: int = 3_600
    page_size_default: int = 50
    page_size_max: int = 100
    list_count_max: int = 10_000
    worklist_count_max: int = 1_000
    worklist_ahead_days: int = 28
    date_range_days_max: int = 366
    availability_days_max: int = 31
    availability_slots_max: int = 500
    pattern_days_max: int = 26 * 7
    pattern_visits_max: int = 20_000
    calendar_appointments_max: int = 2_000
    dry_run_visits_max: int = 2_000
    room_plan_seconds_max: Annotated[float, msgspec.Meta(ge=1)] = 5.0
    """How long a room plan may be computed."""
    room_plan_visits_max: int = 800
    start_ahead_days_max: int = 5 * 366
    backdate_days_max: int = 7
    visit_minutes_max: int = 24 * 60
    alternatives_slots: int = 3
    alternatives_days_max: int = 28
    fund_visits_max: int = 1_000

    # Identity
    access_token_seconds: int = 900
    refresh_token_seconds: int = 30 * 86_400
    session_recheck_seconds: float = 30.0
    session_idle_minutes: Annotated[int, msgspec.Meta(ge=1)] = 30
    """A page's session ends when nobody has used it for so long. Open live updates are no use."""
    session_hours_max: Annotated[int, msgspec.Meta(ge=1)] = 12
    """A page's session ends after so long, used or not."""
    argon2_threads_max: int = 2
    sign_in_failures_max: int = 5
    sign_in_failure_window_seconds: int = 900
    operator_token: Annotated[str, msgspec.Meta(pattern=r"^(.{32,200})?$")] = ""
    """Lets its holder make and delete scratch organizations. At least 32 characters; empty: nobody can."""
    scratch_delete_seconds_max: float = 300.0
    setup_token_sha256: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Made by `serve` for its workers: what the set-up token that it prints hashes to."""
    requests_per_minute_user: int = 6_000
    requests_per_minute_organization: int = 60_000

    warm_organizations_max: Annotated[int, msgspec.Meta(ge=0)] = 20
    """Of so many organizations a process reads places, people and policies when it starts, beside its first requests."""

    # Keeping
    housekeeping_seconds: float = 3600.0
    room_plan_keep_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 7
    """A room plan that nobody has applied is thrown away after so long."""

    # Live
    live_poll_seconds: float = 0.025
    live_listeners_max: int = 5_000
    live_listener_events_max: int = 1_000
    live_replay_events_max: int = 10_000
    live_heartbeat_seconds: float = 15.0


class SettingsError(PlainError):
    """A setting is unknown or cannot be read; the message names it."""


def load(environ: Mapping[str, str] = os.environ, **overrides: object) -> Settings:
    """Settings from the environment and `holdfast.toml`; `overrides` (from flags) win.

    Raises SettingsError naming the variable or key.
    """
    file = Path(environ.get("HOLDFAST_CONFIG", "holdfast.toml"))
    values: dict[str, object] = {}
    if file.is_file():
        values.update(tomllib.loads(file.read_text(encoding="utf-8")))
    for name, text in environ.items():
        if name.startswith("HOLDFAST_") and name not in _NOT_SETTINGS:
            values[name.removeprefix("HOLDFAST_").lower()] = text
    if "database_url" not in values and environ.get("DATABASE_URL"):
        values["database_url"] = environ["DATABASE_URL"]
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from None


_NOT_SETTINGS = frozenset({"HOLDFAST_CONFIG", "HOLDFAST_SKIP_UI"})
