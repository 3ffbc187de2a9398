"""The small organization that a sabotaged build is tried on: made over HTTP by the operator, in a scratch database."""

import http.client
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from holdfast.plain import PlainError
from holdfast.proof import serving

ROOMS, PRACTITIONERS, PATIENTS, AUTHORIZATIONS = 3, 6, 6, 3
"""The first patients have an authorization each; their visits ask for its units."""
UNITS = 120
VISIT_MINUTES = 30
_AHEAD_DAYS = 14
_PASSWORD = "only for a scratch database, on loopback"  # noqa: S105
_WEEK = tuple({"weekday": day, "start": "00:00", "end": "24:00"} for day in range(7))


class NotMade(PlainError):
    """The server refused a part of the organization; the message says what it answered."""


class Clinic(msgspec.Struct, frozen=True, kw_only=True):
    """Open day and night; everything in it is one seat wide. `first`: a midnight some weeks ahead."""

    organization: str
    token: str
    first: datetime
    clinic: str
    service: str
    funded_service: str
    rooms: list[str]
    practitioners: list[str]
    patients: list[str]
    authorizations: list[str]


def furnished(port: int, operator_token: str, word: str) -> Clinic:
    """Makes the organization. `word` keeps its address apart from another's. Raises NotMade, OSError."""
    with closing(http.client.HTTPConnection(serving.HOST, port, timeout=10)) as connection:
        maker = _Maker(connection, operator_token)
        email = f"admin@{word}.example"
        organization = maker.made("/operator/organizations", "organization_id", {
            "name": word, "admin_email": email, "admin_password": _PASSWORD,
        })  # fmt: skip
        credentials = {"email": email, "password": _PASSWORD}
        maker.token = maker.made("/auth/login", "access_token", credentials, expected=200)
        clinic = maker.made("/clinics", "id", {"name": word, "time_zone": "UTC", "opening_hours": _WEEK})
        service = {"duration_minutes": VISIT_MINUTES}
        funded = service | {"name": "Funded", "code": "FUNDED", "authorization_required": True}
        payer = maker.made("/payers", "id", {"name": "Payer"})
        patients = [maker.made("/patients", "id", _patient(number)) for number in range(PATIENTS)]
        return Clinic(
            organization=organization, token=maker.token, clinic=clinic, patients=patients,
            first=datetime.combine(datetime.now(UTC).date() + timedelta(days=_AHEAD_DAYS), datetime.min.time(), UTC),
            service=maker.made("/services", "id", service | {"name": "Talk", "code": "TALK"}),
            funded_service=maker.made("/services", "id", funded),
            rooms=[maker.made("/rooms", "id", _room(clinic, number)) for number in range(ROOMS)],
            practitioners=[
                maker.made("/practitioners", "id", _practitioner(clinic, number)) for number in range(PRACTITIONERS)
            ],
            authorizations=[
                maker.made("/authorizations", "id", _authorization(patient, payer)) for patient in patients[:AUTHORIZATIONS]
            ],
        )  # fmt: skip


def _patient(number: int) -> dict[str, Any]:
    return {"given_name": "Given", "family_name": f"Family {number}", "birth_date": "2015-05-05"}


def _room(clinic: str, number: int) -> dict[str, Any]:
    return {"clinic_id": clinic, "number": str(number), "room_type": "therapy", "cleaning_minutes": 0}


def _practitioner(clinic: str, number: int) -> dict[str, Any]:
    hours = [each | {"clinic_id": clinic} for each in _WEEK]
    return {"name": f"Practitioner {number}", "clinic_ids": [clinic], "working_hours": hours}


def _authorization(patient: str, payer: str) -> dict[str, Any]:
    return {
        "patient_id": patient, "payer_id": payer, "service_codes": ["FUNDED"], "total_units": UNITS,
        "start_date": "2020-01-01", "end_date": "2060-01-01",
    }  # fmt: skip


class _Maker:
    """One connection, and the token that it speaks with."""

    def __init__(self, connection: http.client.HTTPConnection, token: str) -> None:
        self._connection, self.token = connection, token

    def made(self, path: str, wanted: str, fields: dict[str, Any], expected: int = 201) -> str:
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        self._connection.request("POST", f"/api/v1{path}", json.dumps(fields), headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != expected:
            raise NotMade(f"POST {path} was answered {answer.status}: {said[:500].decode(errors='replace')}")
        return str(json.loads(said)[wanted])
