"""A scratch organization: made over HTTP by the operator, furnished by its admin, and deleted with every row of it. The same
seed gives the same names, numbers and order; only the ids are the installation's.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from holdfast.proof.bench.data import monday
from holdfast.proof.prove.client import Address, Client, Unexpected

_OPERATOR = "/api/v1/operator/organizations"
_WEEK: Sequence[dict[str, Any]] = [{"weekday": day, "start": "00:00", "end": "24:00"} for day in range(7)]
_AUTHORIZATIONS_AT_ONCE = 100
SERVICE_CODE, PAYER = "PROOF", "Proof payer"
_GIVEN = (
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eve",
    "Finn",
    "Gia",
    "Hal",
    "Ines",
    "Jon",
    "Kim",
    "Lea",
    "Max",
    "Nia",
    "Oli",
    "Pia",
)
_FAMILY = (
    "Ash",
    "Birch",
    "Cedar",
    "Elm",
    "Fir",
    "Hazel",
    "Juniper",
    "Larch",
    "Maple",
    "Oak",
    "Pine",
    "Rowan",
    "Yew",
)


class Furniture(msgspec.Struct, frozen=True, kw_only=True):
    """What an organization is made of, beside a clinic that is open day and night and one service. `authorizations`: the units
    of each, of the patients in turn. `bare_rooms`: so many of the rooms, the last ones, have no equipment."""

    name: str
    rooms: int = 10
    practitioners: int = 50
    patients: int = 200
    minutes: int = 15
    equipment: tuple[str, ...] = ()
    bare_rooms: int = 0
    authorizations: tuple[int, ...] = ()


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """One organization as its clients know it. `first`: the Monday, midnight UTC, from which on its calendar is used."""

    furniture: Furniture
    address: Address
    id: str
    email: str
    password: str
    first: datetime
    clinic: str = ""
    service: str = ""
    rooms: tuple[str, ...] = ()
    practitioners: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    authorizations: tuple[str, ...] = ()

    def signed_in(self) -> Client:
        """Its admin, with a fresh token: nothing of the proof outlives one. Raises Unexpected."""
        client = Client(self.address)
        answer = client.made("/auth/login", email=self.email, password=self.password)
        client.token = answer["access_token"]
        return client


@contextmanager
def scratch(address: Address, operator_token: str, furniture: Furniture, seed: int) -> Iterator[Organization]:
    """Gone at the end of the block whatever happens. Raises Unexpected."""
    operator = Client(address, operator_token)
    organization = made(operator, furniture)
    try:
        yield furnished(organization, seed)
    finally:
        operator.close()
        # A server that is gone, or was killed meanwhile, keeps its rows: with its own engine they go with the engine's folder.
        with suppress(Unexpected):
            deleted(operator, organization.id)
        operator.close()


def made(operator: Client, furniture: Furniture) -> Organization:
    """A scratch organization with nothing in it, which stays until it is deleted. Raises Unexpected."""
    secret = random.SystemRandom()
    mark, password = (f"{secret.getrandbits(128):032x}" for _ in range(2))
    email = f"prove-{mark}@holdfast.example"
    answer = operator.must("POST", _OPERATOR, {
        "name": f"Proof: {furniture.name}", "admin_email": email, "admin_password": password, "admin_name": "Proof",
    })  # fmt: skip
    return Organization(
        furniture=furniture, address=operator.address, id=answer["organization_id"], email=email, password=password,
        first=monday(datetime.now(UTC)),
    )  # fmt: skip


def furnished(organization: Organization, seed: int) -> Organization:
    """With everything that its furniture names. Raises Unexpected."""
    chance = random.Random(f"{seed} {organization.furniture.name}")  # noqa: S311 - the same data for the same seed
    with organization.signed_in() as admin:
        return _furnished(organization, admin, chance)


def deleted(operator: Client, organization_id: str) -> None:
    """Deletes a scratch organization with every row of it. Raises Unexpected."""
    operator.delete(f"{_OPERATOR}/{organization_id}")


def _furnished(organization: Organization, admin: Client, chance: random.Random) -> Organization:
    of = organization.furniture

    def several(path: str, bodies: Sequence[dict[str, Any]]) -> tuple[str, ...]:
        return tuple(str(admin.made(path, **body)["id"]) for body in bodies)

    clinic = str(admin.made("/clinics", name="Proof", time_zone="UTC", opening_hours=list(_WEEK))["id"])
    service = admin.made(
        "/services", name="Proof", code=SERVICE_CODE, duration_minutes=of.minutes, room_types=["therapy"],
        turnover_minutes=0,
    )  # fmt: skip
    rooms = several("/rooms", [
        {"clinic_id": clinic, "number": str(n + 1), "room_type": "therapy", "cleaning_minutes": 0, "capacity": 2 + n % 3,
         "equipment": list(of.equipment) if n < of.rooms - of.bare_rooms else []}
        for n in range(of.rooms)
    ])  # fmt: skip
    names = people(chance, of.practitioners + of.patients)
    hours = [each | {"clinic_id": clinic} for each in _WEEK]
    practitioners = several(
        "/practitioners",
        [{"name": " ".join(name), "working_hours": hours} for name in names[: of.practitioners]],
    )
    patients = several("/patients", [
        {"given_name": given, "family_name": family, "birth_date": f"{chance.randrange(1950, 2020)}-05-05"}
        for given, family in names[of.practitioners :]
    ])  # fmt: skip
    return msgspec.structs.replace(
        organization, clinic=clinic, service=str(service["id"]), rooms=rooms, practitioners=practitioners,
        patients=patients, authorizations=_authorized(admin, of, patients),
    )  # fmt: skip


def _authorized(admin: Client, of: Furniture, patients: Sequence[str]) -> tuple[str, ...]:
    wanted = [
        {"patient_id": patients[n % len(patients)], "payer": PAYER, "service_codes": [SERVICE_CODE], "total_units": units,
         "start_date": "2020-01-01", "end_date": "2060-01-01"}
        for n, units in enumerate(of.authorizations)
    ]  # fmt: skip
    return tuple(authorize(admin, wanted))


def authorize(admin: Client, wanted: Sequence[dict[str, Any]]) -> Iterator[str]:
    for first in range(0, len(wanted), _AUTHORIZATIONS_AT_ONCE):
        part = list(wanted[first : first + _AUTHORIZATIONS_AT_ONCE])
        answer = admin.made("/authorizations/batch", authorizations=part)
        yield from (str(each["id"]) for each in answer["authorizations"])


def people(chance: random.Random, count: int) -> list[tuple[str, str]]:
    """So many different names."""
    return [(chance.choice(_GIVEN), f"{chance.choice(_FAMILY)} {number}") for number in range(count)]
