"""What the clients of a proof run saw: for each operation what was asked, when it was sent and answered, and the fields of the
answer that a checker needs. Drivers in several processes write one file each; `merged` reads them as one history.

Times are of `time.perf_counter`, which all processes of a machine share. Nobody's name is kept, only ids.
"""

import itertools
import time
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

Kind = Literal["book", "move", "cancel", "reserve", "release", "consume"]
Outcome = Literal["ok", "fail", "unknown"]
BY_HAND: Final = frozenset({"reserve", "release", "consume"})
_NOTHING_HAPPENED: Final = frozenset({"overloaded", "rate_limited", "not_ready"})
"""Codes of a 503 that was said before anything was tried; any other leaves it open."""
_COMPRESSION: Final = 1


class Wish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request asks for. `key`: its idempotency key, of nobody else's request in the history. `subject`: the authorization, or the visit that is moved or cancelled. Of a booking or a move
    what it does not say is None."""

    kind: Kind
    key: str = ""
    subject: str = ""
    units: int = 0
    of_reserved: int | None = None
    patient_id: str | None = None
    practitioner_id: str | None = None
    room_id: str | None = None
    start: datetime | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a visit, as far as it takes somebody's time or units."""

    line_no: int
    practitioner_id: str
    start: datetime
    end: datetime
    patient_present: bool = True
    authorization_id: str | None = None
    units_reserved: int = 0
    travel_before_minutes: int = 0
    buffer_minutes: int = 0
    caregiver_id: str | None = None


class Visit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A visit at one of its versions, as an answer shows it and as it is stored."""

    id: str
    version: int
    status: str
    patient_id: str
    start: datetime
    end: datetime
    lines: tuple[Line, ...]
    room_id: str | None = None
    turnover_minutes: int = 0
    group_id: str | None = None


class Counters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An authorization at one of its versions, as an answer shows it and as it is stored."""

    id: str
    version: int
    total_units: int
    used_units: int
    scheduled_units: int
    manual_units: int

    @property
    def available(self) -> int:
        return self.total_units - self.used_units - self.scheduled_units


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why not. The rest is there where units are what was missing: `available`, or `reserved` by hand, at that version."""

    code: str = ""
    authorization_id: str = ""
    version: int = 0
    available: int | None = None
    reserved: int | None = None
    requested: int | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request. `end` is None and `status` 0 if no answer came. `digest` stands for every byte of the answer. `due`: when
    it should have been sent, where that was planned."""

    wish: Wish
    begin: float
    end: float | None = None
    status: int = 0
    visit: Visit | None = None
    counters: Counters | None = None
    refusal: Refusal | None = None
    digest: int = 0
    due: float | None = None

    @property
    def outcome(self) -> Outcome:
        """Only an answer that says so is a fail: who was not answered, or was answered by a defect, knows nothing."""
        if self.visit is not None or self.counters is not None:
            return "ok"
        code = "" if self.refusal is None else self.refusal.code
        if 400 <= self.status < 500 or (self.status == 503 and code in _NOTHING_HAPPENED):
            return "fail"
        return "unknown"


class Log:
    """What one driver's clients see. `wishes` say what each request is, in the order in which requests are sent; after the
    last comes the first again."""

    def __init__(self, wishes: Sequence[Wish]) -> None:
        self._wishes = itertools.cycle(wishes)
        self._visit = msgspec.json.Decoder(Visit)
        self._counters = msgspec.json.Decoder(Counters)
        self._refusal = msgspec.json.Decoder(Refusal)
        self.operations: list[Operation] = []

    def sending(self) -> tuple[Wish, float]:
        """What the request is that is sent next, and now."""
        return next(self._wishes), time.perf_counter()

    def answered(self, wish: Wish, begin: float, status: int, body: bytes, due: float | None = None) -> None:
        end = time.perf_counter()
        seen: dict[str, Any] = {}
        try:
            if not 200 <= status < 300:
                seen["refusal"] = self._refusal.decode(body)
            elif wish.kind in BY_HAND:
                seen["counters"] = self._counters.decode(body)
            else:
                seen["visit"] = self._visit.decode(body)
        except msgspec.DecodeError:
            # The checker sees a status without an answer.
            pass
        self.operations.append(
            Operation(
                wish=wish, begin=begin, end=end, status=status, digest=zlib.crc32(body), due=due, **seen
            )
        )

    def lost(self, wish: Wish, begin: float) -> None:
        """No answer came, or none will be waited for."""
        self.operations.append(Operation(wish=wish, begin=begin))

    def save(self, file: Path) -> None:
        file.write_bytes(zlib.compress(msgspec.msgpack.encode(self.operations), _COMPRESSION))


def merged(files: Iterable[Path]) -> list[Operation]:
    """The history that several drivers of one machine wrote, in the order of sending."""
    decoder = msgspec.msgpack.Decoder(list[Operation])
    found = [each for file in files for each in decoder.decode(zlib.decompress(file.read_bytes()))]
    return sorted(found, key=lambda each: each.begin)
