"""The first organization of an empty installation. The rules are in `commands/setup.py`."""

from typing import Annotated, Literal

import msgspec

from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.commands.organizations import Created, NewOrganization
from holdfast.commands.setup import set_up


class OrganizationNew(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An organization and its first admin."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200, examples=["Northside Therapy"])]
    time_zone: Annotated[str, msgspec.Meta(max_length=64, examples=["America/Phoenix"])] = "UTC"
    patient_label: Literal["patient", "client", "learner"] = "patient"
    admin_email: Annotated[
        str, msgspec.Meta(min_length=3, max_length=254, examples=["you@northside.example"])
    ]
    admin_password: Annotated[
        str, msgspec.Meta(min_length=12, max_length=200, examples=["correct horse battery staple"])
    ]
    admin_name: Annotated[str, msgspec.Meta(max_length=200, examples=["Ana Ruiz"])] = ""

    def new(self) -> NewOrganization:
        return NewOrganization(
            name=self.name, time_zone=self.time_zone, patient_label=self.patient_label,
            admin_email=self.admin_email, admin_password=self.admin_password, admin_name=self.admin_name,
        )  # fmt: skip


class SetUp(OrganizationNew, kw_only=True):
    """The first organization and its first admin."""

    token: Annotated[
        str,
        msgspec.Meta(
            min_length=1, max_length=200, description="What `holdfast serve` printed when it started."
        ),
    ]


async def begin(ask: Ask[NoFields, SetUp]) -> Answer:
    return Answer(await set_up(ask.house, ask.body.token, ask.body.new(), ask.deadline), status=201)


ROUTES = (
    Route(
        "POST", "/api/v1/setup", begin, None, "Set up an empty installation: its first organization and admin",
        body=SetUp, answer=Created, status=201, refusals=("already_set_up", "invalid_token", "not_found"),
        tag="identity",
    ),
)  # fmt: skip
