"""Load on room assignment: many who book at once, many who want the same time, and many rules.

    holdfast load set-up --url http://localhost:8000 --token $HOLDFAST_OPERATOR_TOKEN
    locust -f locustfile.py --host=http://localhost:8000 --users=50 --spawn-rate=10 --tags=concurrent

`--tags concurrent`, `conflict` or `rules`; without, all three at once. Every user asks once in two seconds, so that fifty of
them plan 25 bookings a second, and what is measured is the server and not how often somebody asks.
"""

import random
import time
from datetime import datetime, timedelta
from typing import Any, ClassVar

from locust import constant_throughput, tag, task
from locust.env import Environment

from holdfast.proof.locust.calendars import DAYS, Calendar, unused_from
from holdfast.proof.locust.calling import (
    Answered,
    Caller,
    Party,
    is_worker,
    listen,
    rfc3339,
    say,
    worker_number,
)
from holdfast.proof.locust.told import Target, granted, report
from holdfast.proof.prove.organization import Organization
from holdfast.proof.prove.rule_documents import HOURS

BOOK, CONTEND, CHOOSE = "book any room", "book a shared time", "book by rules"
DETECT, EVALUATE = "detect conflicts", "evaluate rules"
RIVALS = 50
"""How many want the same time: five times as many as there are rooms."""
_NAMED_ROOMS = 3
_PAUSE_SECONDS = 2.0
_AT_A_TIME = 20
_FULL = frozenset({"room_conflict", "no_room_available"})
_TARGETS = (
    Target("Room Assignment Latencies", (BOOK, CONTEND, CHOOSE), ((95, 100),)),
    Target("Conflict Detection Latencies", (DETECT, f"{CONTEND}: refused"), ((95, 50),)),
    Target("Rules Engine Evaluation Latencies", (EVALUATE,), ((95, 50),)),
)


class Clinic(Caller):
    """A front desk."""

    wait_time = constant_throughput(1 / _PAUSE_SECONDS)
    calendars: ClassVar[dict[str, Calendar]]

    def on_start(self) -> None:
        """Users who are spawned together would else ask together, at every turn."""
        time.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311

    @tag("concurrent")
    @task
    def book(self) -> None:
        """A time that nobody else wants, and any room."""
        of = self.party.fixture.booked
        body = booking(of, *self.calendars["concurrent"].next())
        self.ask(of, BOOK, "POST", "/appointments", body, granted=201)

    @tag("conflict")
    @task
    def contend(self) -> None:
        """A time that forty-nine others want, too, and some the same room."""
        of, calendar = self.party.fixture.booked, self.calendars["conflict"]
        start, place = calendar.next()
        room = of.rooms[place % _NAMED_ROOMS]
        body = booking(of, start, place) | ({"room_id": room} if place % 2 else {})

        def wrong(answered: Answered) -> str | None:
            if answered.status == 409:
                offered = answered.body["alternatives"]
                return None if offered["rooms"] or offered["slots"] else "refused without an alternative"
            is_free = calendar.take(answered.body["room_id"], answered.body["start"])
            return None if is_free else "double booking"

        end = start + timedelta(minutes=of.furniture.minutes)
        asked = f"start={rfc3339(start)}&end={rfc3339(end)}&room_id={room}"
        self.ask(of, DETECT, "GET", f"/appointments/conflicts?{asked}")
        self.ask(of, CONTEND, "POST", "/appointments", body, granted=201, refusals=_FULL, wrong=wrong)

    @tag("rules")
    @task
    def choose(self) -> None:
        """First what thirty rules say of fifty rooms at that time, then the booking by them."""
        of = self.party.fixture.ruled
        body = booking(of, *self.calendars["rules"].next())
        forbidden = frozenset(of.rooms[of.furniture.rooms - of.furniture.bare_rooms :])

        def wrong(answered: Answered) -> str | None:
            rooms = {each["room_id"] for each in answered.body.get("candidates", [answered.body])}
            return "a room that a hard rule forbids" if rooms & forbidden else None

        self.ask(of, EVALUATE, "POST", "/policies/evaluate", body, wrong=wrong)
        self.ask(of, CHOOSE, "POST", "/appointments", body, granted=201, wrong=wrong)


def booking(of: Organization, start: datetime, place: int) -> dict[str, Any]:
    """At each place other people, so that only rooms can be in anybody's way."""
    return {
        "clinic_id": of.clinic, "service_id": of.service, "start": rfc3339(start),
        "practitioner_id": of.practitioners[place], "patient_id": of.patients[place],
    }  # fmt: skip


def meet(environment: Environment, **_more: Any) -> None:
    Clinic.party = Party(environment)


def begin(environment: Environment, **_more: Any) -> None:
    """The calendars of this run. Those who want the same times have a year of their own, after that of the others."""
    party, worker = Clinic.party, worker_number(environment)
    booked, ruled = party.fixture.booked, party.fixture.ruled
    with party.client(booked) as client:
        alone = unused_from(client, booked, booked.first)
        shared = unused_from(client, booked, booked.first + timedelta(days=DAYS + 6))
    with party.client(ruled) as client:
        by_rules = unused_from(client, ruled, ruled.first)
    minutes = booked.furniture.minutes
    Clinic.calendars = {
        "concurrent": Calendar(alone, booked.furniture.rooms, minutes, worker=worker),
        "conflict": Calendar(shared, RIVALS, minutes, worker=worker),
        "rules": Calendar(by_rules, _AT_A_TIME, ruled.furniture.minutes, HOURS, worker),
    }


def tell(environment: Environment, **_more: Any) -> None:
    if is_worker(environment):
        return
    booked = granted(environment.stats, (BOOK, CONTEND, CHOOSE))
    more = [f"Total Appointments Created: {booked}"]
    with Clinic.party.client(Clinic.party.fixture.ruled) as client:
        cache = client.got("/policies/cache")
    more.append(f"Policies found in memory: {cache['hits']} of {cache['hits'] + cache['misses']} times")
    say(environment, report("ROOM ASSIGNMENT PERFORMANCE REPORT", environment.stats, _TARGETS, more))


listen(meet, begin, tell)
