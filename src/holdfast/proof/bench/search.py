"""Whether what the bench was told is true: the slots of a search against a look at every start in what is stored, and the
alternatives of a lost race. Knows nothing of the product's rules but what the bench's organizations are made like.
"""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from holdfast.proof import serving
from holdfast.proof.bench.data import SEARCH_DAYS, SEARCH_SLOTS, Requests
from holdfast.proof.serving import Server
from holdfast.proof.statements import statement

_SEARCHES = 10
_STEP = timedelta(minutes=15)
_OPENS, _CLOSES = 8, 18

Taken = dict[str, list[tuple[datetime, datetime]]]


async def other_slots(admin_url: str, server: Server, requests: Requests) -> list[str]:
    """What is wrong with some answers of S9."""
    of = requests.organization
    connection = await asyncpg.connect(admin_url)
    faults = []
    try:
        for n in range(_SEARCHES):
            start = of.first + timedelta(days=n)
            patient = of.patients[n]
            found = asked(server, requests, "GET", requests.search_target(start, patient))
            rows = await connection.fetch(
                statement("claims_of_organization"), of.id, start, start + timedelta(days=SEARCH_DAYS)
            )
            taken: Taken = {}
            for row in rows:
                taken.setdefault(row["resource_id"], []).append((row["starts_at"], row["ends_at"]))
            expected = []
            for slot in _free(requests, taken, start, patient):
                expected.append(slot)
                if len(expected) == SEARCH_SLOTS:
                    break
            said = [(slot["start"], slot["practitioner_id"]) for slot in found["slots"]]
            faults += [f"S9: {said} offered, {expected} free"] * (said != expected)
            faults += [
                f"S9: {slot} offers a room that is taken"
                for slot in found["slots"]
                if not _is_free(
                    taken, slot["room_id"], datetime.fromisoformat(slot["start"]), of.size.minutes
                )
            ]
    finally:
        await connection.close()
    return faults


def _free(requests: Requests, taken: Taken, first: datetime, patient: str) -> Iterator[tuple[str, str]]:
    of = requests.organization
    length = timedelta(minutes=of.size.minutes)
    for day in range(SEARCH_DAYS):
        at = first + timedelta(days=day, hours=_OPENS)
        while at + length <= first + timedelta(days=day, hours=_CLOSES):
            has_room = any(_is_free(taken, room, at, of.size.minutes) for room in of.rooms)
            if has_room and _is_free(taken, patient, at, of.size.minutes):
                for practitioner in sorted(of.practitioners):
                    if _is_free(taken, practitioner, at, of.size.minutes):
                        yield f"{at:%Y-%m-%dT%H:%M:%SZ}", practitioner
            at += _STEP


def _is_free(taken: Taken, resource: str, start: datetime, minutes: int) -> bool:
    end = start + timedelta(minutes=minutes)
    return not any(low < end and start < high for low, high in taken.get(resource, ()))


def without_alternatives(server: Server, requests: Requests) -> list[str]:
    """Whether one who comes too late is not told what could be had instead."""
    lost = asked(server, requests, "POST", "/api/v1/appointments", requests.too_late())
    if lost.get("code") == "no_room_available" and lost["alternatives"]["slots"]:
        return []
    return [f"S5: whoever came too late was told {json.dumps(lost)[:300]}"]


def asked(server: Server, requests: Requests, method: str, target: str, body: bytes | None = None) -> Any:
    headers = requests.headers | ({"content-type": "application/json"} if body else {})
    with closing(http.client.HTTPConnection(serving.HOST, server.port, timeout=10)) as connection:
        connection.request(method, target, body, headers)
        return json.loads(connection.getresponse().read())
