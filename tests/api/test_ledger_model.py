"""Some thousand random calls on two authorizations against a ledger of a page: model, API and SQL agree.

The model knows which visits hold how many units, what is reserved by hand, what is used, and which dates are covered. Whether a
room is free it does not ask: every visit to come has a day of its own, every one that is over half an hour. An authorization
expires and comes back as its last day is set before the visits and behind them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest
from api.given import ALWAYS, SESSIONS, TODAY, WORDS, make_given, on
from api.people import Client, make_organization, sign_in
from api.practice import API, VISITS, Practice, at, make_practice, monday
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sizes import size

from holdfast.app import Application
from holdfast.settings import Settings

TOTAL = 24
RUNS, STEPS = size(50, 400), 20
Run = Callable[[Awaitable[Any]], Any]
FIRST = date(2020, 1, 1)
WHICH = st.integers(0, 1)
OFFS = st.sampled_from((0, 0, 0, 190, 210))
"""Days after the first Monday: mostly covered, sometimes by one of the two only, or by none."""
MINUTES = st.sampled_from((5, 20, 30, 45, 75))
"""What a session really took: of visits of one unit or two."""


@dataclass
class Account:
    """What the model knows of one authorization."""

    id: str
    end: date
    total: int = TOTAL
    used: int = 0
    by_hand: int = 0
    version: int = 1
    approval: str = "approved"


@dataclass
class Held:
    id: str
    day: int
    minutes: int
    account: Account
    units: int
    status: str = "scheduled"
    is_over: bool = False
    session: str = ""
    used: int = 0
    unfunded: int = 0


@dataclass
class World:
    """One practice for all runs; `visits` are those of the run before, whose rooms are given back."""

    practice: Practice
    client: Client
    database: Any
    run: Run
    visits: list[str] = field(default_factory=list)


class Machine(RuleBasedStateMachine):
    """Each run has a patient, a practitioner and authorizations of its own: what is signed stays."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.accounts: list[Account] = []
        self.visits: list[Held] = []
        self.patient = self.practitioner = ""
        self.ana: httpx2.AsyncClient | None = None
        self.days = self.half_hours = 0

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, who: str = "admin"
    ) -> httpx2.Response:
        if who == "ana" and self.ana is None:  # who gives visits as somebody else is signed out
            pair = self.world.run(sign_in(self.world.client, "ana@juniper.example"))
            self.ana = self.world.client(pair["access_token"])
        client = self.ana if who == "ana" and self.ana is not None else self.world.practice.admin
        answer: httpx2.Response = self.world.run(client.request(method, path, json=body))
        return answer

    def held(self, account: Account) -> int:
        return sum(visit.units for visit in self.visits if visit.account is account)

    def available(self, account: Account) -> int:
        return account.total - account.used - account.by_hand - self.held(account)

    def spare(self, visit: Held) -> int:
        """What a visit may use beyond what it holds: nothing of an authorization that does not cover its day, or no more."""
        return self.available(visit.account) if self.covers(visit.account, self.on(visit.day)) else 0

    @staticmethod
    def on(day: int) -> date:
        return monday() + timedelta(days=day)

    def covers(self, account: Account, on: date) -> bool:
        return account.approval == "approved" and FIRST <= on <= account.end

    def check(self, answer: httpx2.Response, code: str | None) -> bool:
        """Whether it is granted, as the model says; refused with the code that the model says."""
        if code is None:
            assert answer.status_code in (200, 201), answer.text
            return True
        assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text
        return False

    @initialize()
    def begin(self) -> None:
        for visit in self.world.visits:  # its room is everyone's
            self.ask("POST", f"{VISITS}/{visit}/cancel", {})
        self.world.visits.clear()
        made = self.ask("POST", f"{API}/patients", {
            "given_name": "Model", "family_name": "Patient", "birth_date": "2015-05-05",
        })  # fmt: skip
        self.patient = made.json()["id"]
        practice = self.world.practice
        hours = [{"clinic_id": practice.made["clinic"], **each} for each in ALWAYS]
        made = self.ask("POST", f"{API}/practitioners", {
            "name": "Model", "working_hours": hours, "clinic_ids": [practice.made["clinic"]],
            "credentials": [{"code": "RBT"}],
        })  # fmt: skip
        self.practitioner = made.json()["id"]
        user = practice.made["ana's user"]
        changed = self.ask("PATCH", f"{API}/users/{user}", {"practitioner_id": self.practitioner})
        assert changed.status_code == 200, changed.text
        for number in range(2):
            end = monday() + timedelta(days=200 + number)
            made = self.ask("POST", f"{API}/authorizations", {
                "patient_id": self.patient, "payer_id": self.world.practice.made["payer"], "service_codes": ["97153"],
                "total_units": TOTAL, "start_date": str(FIRST), "end_date": str(end),
            })  # fmt: skip
            self.accounts.append(Account(made.json()["id"], end))
            self.by_hand("reserve", self.accounts[-1], 10, 0)

    @rule(which=WHICH, units=st.integers(1, 8), off=OFFS)
    def reserve(self, which: int, units: int, off: int) -> None:
        self.by_hand("reserve", self.accounts[which], units, off)

    @rule(which=WHICH, units=st.integers(1, 5), off=OFFS)
    def release(self, which: int, units: int, off: int) -> None:
        self.by_hand("release", self.accounts[which], units, off)

    @rule(which=WHICH, units=st.integers(1, 3), off=OFFS, rest=st.sampled_from((None, 0, 1, 2)))
    def consume(self, which: int, units: int, off: int, rest: int | None) -> None:
        self.by_hand("consume", self.accounts[which], units, off, rest)

    def by_hand(self, kind: str, account: Account, units: int, off: int, rest: int | None = None) -> None:
        on = self.on(off)
        body: dict[str, Any] = {"units": units, "date": str(on)}
        if rest is not None:
            body["of_reserved"] = units + rest
        answer = self.ask("POST", f"{API}/authorizations/{account.id}/{kind}", body)
        code = None
        if kind != "release" and account.approval != "approved":
            code = "authorization_inactive"
        elif kind != "release" and not self.covers(account, on):
            code = "authorization_expired"
        elif kind == "reserve" and self.available(account) < units:
            code = "insufficient_units"
        elif kind != "reserve" and account.by_hand < units + (rest or 0):
            code = "units_not_reserved"
        if not self.check(answer, code):
            return
        account.version += 1 if not rest else 2
        account.by_hand += units if kind == "reserve" else -(units + (rest or 0))
        account.used += units if kind == "consume" else 0

    @rule(
        minutes=st.sampled_from((15, 30, 60, 120)), named=st.none() | st.integers(0, 1), after=st.booleans()
    )
    def book(self, minutes: int, named: int | None, after: bool) -> None:
        self.days += 1
        day = self.days // 6 * 7 + self.days % 6 + (196 if after else 0)
        self.booked(day, at(9, day), minutes, named)

    @rule(minutes=st.sampled_from((15, 30)), named=st.none() | st.integers(0, 1))
    def book_what_is_over(self, minutes: int, named: int | None) -> None:
        self.half_hours += 1
        day = (TODAY - monday()).days - 1
        self.booked(day, on(-1, self.half_hours / 2), minutes, named, is_over=True)

    def booked(self, day: int, start: str, minutes: int, named: int | None, *, is_over: bool = False) -> None:
        on, needed = self.on(day), -(-minutes // 15)
        wanted = self.accounts if named is None else [self.accounts[named]]
        good = [each for each in wanted if self.covers(each, on) and self.available(each) >= needed]
        body = self.world.practice.booking(
            start, patient_id=self.patient, service_id="funded", duration_minutes=minutes,
            authorization_id=None if named is None else wanted[0].id, practitioner_id=self.practitioner,
            location="telehealth" if is_over else "on_site",
        )  # fmt: skip
        answer = self.ask("POST", VISITS, body)
        if not good:
            assert answer.status_code == 409, answer.text
            return
        assert answer.status_code == 201, answer.text
        chosen = min(good, key=lambda each: (each.end, self.available(each), each.id))
        shown = answer.json()
        assert (shown["authorization_id"], shown["units_reserved"]) == (chosen.id, needed)
        self.visits.append(Held(shown["id"], day, minutes, chosen, needed, is_over=is_over))
        self.world.visits.append(shown["id"])
        chosen.version += 1

    @precondition(lambda self: any(visit.is_over and visit.status == "scheduled" for visit in self.visits))
    @rule(number=st.integers(0, 99), minutes=st.none() | MINUTES)
    def sign(self, number: int, minutes: int | None) -> None:
        """Never refused for lack of units: what is reserved is used, then what is left; the rest is unfunded."""
        over = [visit for visit in self.visits if visit.is_over and visit.status == "scheduled"]
        visit = over[number % len(over)]
        account, due = visit.account, units_of(minutes or visit.minutes)
        draft = self.ask("POST", SESSIONS, {"appointment_id": visit.id, "narrative": WORDS}, "ana")
        assert draft.status_code == 201, draft.text
        visit.session = draft.json()["id"]
        body = {} if minutes is None else {"minutes_actual": minutes}
        used = min(due, visit.units + self.spare(visit))
        self.check_session(
            visit, self.ask("POST", f"{SESSIONS}/{visit.session}/sign", body, "ana"), used, due
        )
        account.version += (used != visit.units) + (used > 0)
        visit.status, visit.units, visit.minutes = "completed", 0, minutes or visit.minutes

    @precondition(lambda self: any(visit.status == "completed" for visit in self.visits))
    @rule(number=st.integers(0, 99), minutes=MINUTES)
    def amend_session(self, number: int, minutes: int) -> None:
        """What counts less is first what nobody had approved; what counts more is used as far as there is some left."""
        signed = [visit for visit in self.visits if visit.status == "completed"]
        visit = signed[number % len(signed)]
        if visit.minutes == minutes:
            return
        account, due = visit.account, units_of(minutes)
        more = due - visit.used - visit.unfunded
        used = visit.used + (min(more, self.spare(visit)) if more > 0 else min(0, more + visit.unfunded))
        body = {"minutes_actual": minutes, "reason": "Looked at the clock."}
        account.version += used != visit.used
        self.check_session(
            visit, self.ask("POST", f"{SESSIONS}/{visit.session}/amend", body, "ana"), used, due
        )
        visit.minutes = minutes

    def check_session(self, visit: Held, answer: httpx2.Response, used: int, due: int) -> None:
        assert answer.status_code == 200, answer.text
        shown = answer.json()
        assert (shown["units_used"], shown["unfunded_units"]) == (used, due - used)
        visit.account.used += used - visit.used
        visit.used, visit.unfunded = used, due - used

    @precondition(lambda self: self.visits)
    @rule(number=st.integers(0, 99), minutes=st.sampled_from((15, 45, 90)))
    def move(self, number: int, minutes: int) -> None:
        """The length changes, and the units with it; the visit stays with its authorization if that suffices."""
        visit = self.visits[number % len(self.visits)]
        if visit.status != "scheduled" or visit.is_over:
            return
        needed, on, before = -(-minutes // 15), self.on(visit.day), visit.account
        hour, minute = divmod(minutes, 60)
        answer = self.ask("PATCH", f"{VISITS}/{visit.id}", {"end": at(9 + hour + minute / 60, visit.day)})

        def suffices(account: Account) -> bool:
            return self.covers(account, on) and self.available(account) + back(account) >= needed

        def back(account: Account) -> int:
            return visit.units if account is before else 0

        others = [each for each in self.accounts if suffices(each)]
        if not others:
            assert answer.status_code == 409, answer.text
            return
        assert answer.status_code == 200, answer.text
        after = before
        if not suffices(before):
            after = min(others, key=lambda each: (each.end, self.available(each) + back(each), each.id))
        assert answer.json()["authorization_id"] == after.id
        if (after, needed) != (before, visit.units):
            before.version += 1
            after.version += 1
        visit.minutes, visit.units, visit.account = minutes, needed, after

    @precondition(lambda self: self.visits)
    @rule(number=st.integers(0, 99), call=st.sampled_from(("cancel", "no-show")))
    def let_go(self, number: int, call: str) -> None:
        visit = self.visits[number % len(self.visits)]
        answer = self.ask("POST", f"{VISITS}/{visit.id}/{call}", {})
        if not self.check(answer, None if visit.status == "scheduled" else "illegal_transition"):
            return
        visit.status, visit.units = answer.json()["status"], 0
        visit.account.version += 1

    @rule(
        which=WHICH,
        off=st.sampled_from((-1, 100, 200, 201)),
        total=st.none() | st.integers(10, 40),
    )
    def amend(self, which: int, off: int, total: int | None) -> None:
        """The last day, and with it whether it has expired for the visits; the total."""
        account, end = self.accounts[which], self.on(off)
        fields: dict[str, Any] = {"end_date": str(end)} | ({"total_units": total} if total else {})
        committed = account.used + account.by_hand + self.held(account)
        stays = all(self.on(v.day) <= end for v in self.visits if v.account is account and v.units)
        code = "visits_stranded" if not stays else None
        if total is not None and total < committed:
            code = "totals_below_committed"
        answer = self.ask("PATCH", f"{API}/authorizations/{account.id}", fields)
        if self.check(answer, code):
            changed = (end, total or account.total) != (account.end, account.total)
            account.version += 1 if changed else 0
            account.end, account.total = end, total or account.total

    @precondition(lambda self: self.accounts[-1].approval == "approved")
    @rule()
    def give_up(self) -> None:
        """One that visits hold units of is not cancelled; another one is, once and for all."""
        account = self.accounts[-1]
        answer = self.ask("POST", f"{API}/authorizations/{account.id}/cancel")
        if self.check(answer, "visits_stranded" if self.held(account) else None):
            account.approval = "cancelled"
            account.version += 1

    @invariant()
    def api_and_sql_say_what_the_model_says(self) -> None:
        for account in self.accounts:
            scheduled = account.by_hand + self.held(account)
            expected = (account.total, account.used, scheduled, account.by_hand, account.version)
            shown = self.ask("GET", f"{API}/authorizations/{account.id}").json()
            names = ("total_units", "used_units", "scheduled_units", "manual_units", "version")
            assert tuple(shown[name] for name in names) == expected
            assert shown["available_units"] == self.available(account) >= 0
            row = self.world.run(self.world.database.fetchrow(
                "select total_units, used_units, scheduled_units, manual_units, version,"
                " (select coalesce(sum(case e.kind when 'reserve' then e.units when 'adjust' then 0 else -e.units end), 0)"
                "  from authorization_entries e where e.authorization_id = a.id),"
                " (select coalesce(sum(e.units), 0) from authorization_entries e"
                "  where e.authorization_id = a.id and e.kind in ('consume', 'adjust')),"
                " (select coalesce(sum(l.units_reserved), 0) from appointment_lines l where l.authorization_id = a.id)"
                " from authorizations a where a.id = $1", account.id,
            ))  # fmt: skip
            assert tuple(row) == (*expected, scheduled, account.used, self.held(account))


def units_of(minutes: int) -> int:
    """As the payer rounds: a unit from its middle on."""
    return (minutes + 7) // 15


@pytest.fixture(name="settings")
def unlimited(settings: Settings) -> Settings:
    """So many requests a minute are nobody's."""
    return msgspec.structs.replace(
        settings, requests_per_minute_user=10**7, requests_per_minute_organization=10**7
    )


@asynccontextmanager
async def open_practice(application: Application, client: Client) -> AsyncIterator[Practice]:
    organization = await make_organization(application, client, "Ledger")
    async with client(organization.tokens["admin"]) as admin:
        practice = await make_practice(application, organization, admin)
        await make_given(practice, client)
        yield practice


async def test_model_api_and_sql_agree(application: Application, client: Client) -> None:
    loop = asyncio.get_running_loop()
    house = application.house
    assert house is not None
    database = await asyncpg.connect(house.settings.database_admin_url)
    async with open_practice(application, client) as practice:

        def run(work: Awaitable[Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(_awaited(work), loop).result(30)

        machine = type("OneWorldMachine", (Machine,), {"world": World(practice, client, database, run)})
        bounds = settings(
            max_examples=RUNS, stateful_step_count=STEPS, deadline=None, print_blob=True, database=None,
            suppress_health_check=tuple(HealthCheck),
        )  # fmt: skip
        # The machine is synchronous and has a thread of its own; the application stays on this loop.
        await asyncio.to_thread(run_state_machine_as_test, machine, settings=bounds)
    await database.close()


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work
