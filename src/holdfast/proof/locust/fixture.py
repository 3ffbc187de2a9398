"""The data of the load tests: scratch organizations made over HTTP, told in one file with the names that the seeds use, and
deleted again. Whoever has the file can sign in to them and to nothing else.
"""

import random
from collections.abc import Callable
from contextlib import ExitStack
from http.client import NOT_FOUND
from pathlib import Path
from typing import Final

import msgspec

from holdfast.plain import PlainError
from holdfast.proof.prove.client import Address, Client, Unexpected
from holdfast.proof.prove.organization import Furniture, Organization, deleted, furnished, made
from holdfast.proof.prove.rule_documents import put_into_force, rules
from holdfast.proof.prove.scenarios.rules import FURNITURE as RULED
from holdfast.proof.prove.three import divided

Progress = Callable[[str], None]

HOT_UNITS, USUAL_UNITS, PLENTY_UNITS = 50, 200, 1_000_000
"""What an authorization has: to contend for, for a day's work, and more than a run can ask for (the seed's 1,000 would be used
up in a minute at the rate that it asks for)."""
_AUTHORIZATIONS: Final = ((HOT_UNITS, 10), (USUAL_UNITS, 20), (PLENTY_UNITS, 25))
BOOKED: Final = Furniture(name="bookings")


class NoFixture(PlainError):
    """The file is not there or is none; the message says what to do."""


class Fixture(msgspec.Struct, frozen=True, kw_only=True):
    """`clinic_id` to `room_3_id` bear the names of the variables that room tests are given, and are those of `booked`. The next
    three bear the keys of the unit tests' file: at each place of `practitioner_tokens` is one that may reserve units of the
    authorization at the same place of `authorization_ids`. Tokens are good for as long as the server says; who runs longer signs
    in anew, with what the organizations know."""

    clinic_id: str = msgspec.field(name="TEST_CLINIC_ID")
    doctor_id: str = msgspec.field(name="TEST_DOCTOR_ID")
    patient_id: str = msgspec.field(name="TEST_PATIENT_ID")
    room_1_id: str = msgspec.field(name="TEST_ROOM_1_ID")
    room_2_id: str = msgspec.field(name="TEST_ROOM_2_ID")
    room_3_id: str = msgspec.field(name="TEST_ROOM_3_ID")
    authorization_ids: list[str] = msgspec.field(name="authorizationIds")
    hot_authorization_ids: list[str] = msgspec.field(name="highContentionAuthIds")
    practitioner_tokens: list[str] = msgspec.field(name="practitionerTokens")
    url: str
    booked: Organization
    ruled: Organization
    accounts: list[Organization]

    @property
    def organizations(self) -> list[Organization]:
        return [self.booked, self.ruled, *self.accounts]

    def variables(self) -> list[str]:
        """Lines for a shell."""
        document = msgspec.to_builtins(self)
        return [f"export {name}={value}" for name, value in document.items() if name.startswith("TEST_")]


def set_up(url: str, operator_token: str, file: Path, seed: int, progress: Progress) -> Fixture:
    """Makes the organizations and writes the file, for its owner's eyes only. What was made is deleted again if something fails
    on the way. Raises PlainError."""
    if file.exists():
        raise NoFixture(f"{file} is there already: clean up what it tells of first, or name another file.")
    with ExitStack() as stack:
        operator = stack.enter_context(Client(Address.of(url), operator_token))

        def make(furniture: Furniture) -> Organization:
            progress(f"Making: {furniture.name}.")
            empty = made(operator, furniture)
            stack.callback(deleted, operator, empty.id)
            return furnished(empty, seed)

        fixture = _fixture(url, make(BOOKED), make(RULED), [make(each) for each in _account_furniture(seed)])
        with fixture.ruled.signed_in() as admin:
            put_into_force(admin, rules(fixture.ruled))
        file.touch(mode=0o600)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(fixture)))
        stack.pop_all()
    operator.close()
    return fixture


def _account_furniture(seed: int) -> list[Furniture]:
    """The three organizations of the unit tests; each has authorizations of every kind."""
    totals = [units for units, count in _AUTHORIZATIONS for _ in range(count)]
    random.Random(f"{seed} authorizations").shuffle(totals)  # noqa: S311 - the same data for the same seed
    return [msgspec.structs.replace(each, rooms=1) for each in divided("units", totals)]


def _fixture(url: str, booked: Organization, ruled: Organization, accounts: list[Organization]) -> Fixture:
    ids: list[str] = []
    hot: list[str] = []
    tokens: list[str] = []
    for of in accounts:
        with of.signed_in() as admin:
            tokens += [admin.token] * len(of.authorizations)
        ids += of.authorizations
        hot += authorizations(of, HOT_UNITS)
    return Fixture(
        clinic_id=booked.clinic, doctor_id=booked.practitioners[0], patient_id=booked.patients[0],
        room_1_id=booked.rooms[0], room_2_id=booked.rooms[1], room_3_id=booked.rooms[2], authorization_ids=ids,
        hot_authorization_ids=hot, practitioner_tokens=tokens, url=url, booked=booked, ruled=ruled, accounts=accounts,
    )  # fmt: skip


def authorizations(of: Organization, units: int) -> list[str]:
    """Those that were approved for so many units."""
    pairs = zip(of.authorizations, of.furniture.authorizations, strict=True)
    return [each for each, total in pairs if total == units]


def read(file: Path) -> Fixture:
    """Raises NoFixture."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Fixture)
    except FileNotFoundError:
        raise NoFixture(f"{file} is not there: `holdfast load set-up --out {file}` makes it.") from None
    except msgspec.DecodeError as error:
        raise NoFixture(f"{file} is not a file of `holdfast load set-up`: {error}") from None


def clean_up(file: Path, operator_token: str, progress: Progress) -> None:
    """Deletes the organizations that the file tells of, with every row, and then the file. Those that are gone already are
    no error. Raises PlainError."""
    fixture = read(file)
    with Client(Address.of(fixture.url), operator_token) as operator:
        for of in fixture.organizations:
            progress(f"Deleting: {of.furniture.name}.")
            try:
                deleted(operator, of.id)
            except Unexpected as error:
                if error.status != NOT_FOUND:
                    raise
    file.unlink()
