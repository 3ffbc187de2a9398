"""Users: who may sign in, as what. Admins only. The rules are in `commands/users.py`."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from holdfast.api import lists
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.wire import Id
from holdfast.commands import totp, users
from holdfast.commands.users import User
from holdfast.db.statements import statement

Role = Literal["admin", "scheduler", "practitioner", "biller", "patient", "auditor"]
_Name = Annotated[str, msgspec.Meta(max_length=200, examples=["Ana Ruiz"])]
_Password = Annotated[
    str, msgspec.Meta(min_length=12, max_length=200, examples=["correct horse battery staple"])
]


class UserNew(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new user. A practitioner's login names its practitioner, a patient's its patient; `contact_id` is a guardian's, who
    sees the patients whose parent or guardian that contact is."""

    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254, examples=["ana@juniper.example"])]
    password: _Password
    role: Role
    name: _Name = ""
    practitioner_id: Id | None = None
    patient_id: Id | None = None
    contact_id: Id | None = None


class UserChanges(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to change; what is left out stays. A new role or password, or deactivation, ends the sessions."""

    role: Role | UnsetType = UNSET
    password: _Password | UnsetType = UNSET
    name: _Name | UnsetType = UNSET
    practitioner_id: Id | UnsetType | None = UNSET
    patient_id: Id | UnsetType | None = UNSET
    contact_id: Id | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET


class UsersQuery(lists.Paged, forbid_unknown_fields=True, kw_only=True):
    role: Role | None = None
    is_active: bool | None = None


class UserPage(lists.Page, kw_only=True):
    items: list[User]


async def create(ask: Ask[NoFields, UserNew]) -> Answer:
    body = ask.body
    new = users.NewUser(
        email=body.email, password=body.password, role=body.role, name=body.name,
        practitioner_id=body.practitioner_id, patient_id=body.patient_id,
        contact_id=body.contact_id,
    )  # fmt: skip
    return Answer.of(await users.create_user(ask.house, ask.asked, new))


async def list_all(ask: Ask[UsersQuery, None]) -> Answer:
    query, organization = ask.query, ask.actor.organization_id
    size = lists.size(ask, query)
    async with ask.house.database.reading(organization) as connection:
        seq = await connection.fetchval(statement("turn_seq"), organization)
        filters = organization, query.role, query.is_active
        counted = await connection.fetchval(
            statement("users_count"), *filters, ask.house.settings.list_count_max + 1
        )
        rows = await connection.fetch(statement("users_page"), *filters, size, (query.page - 1) * size)
    return Answer(lists.page(ask, query, [User.of(row) for row in rows], counted), seq=seq)


async def read(ask: Ask[NoFields, None]) -> Answer:
    user, seq = await users.read_user(ask.house, ask.actor.organization_id, ask.id())
    return Answer(user, version=user.version, seq=seq)


async def patch(ask: Ask[NoFields, UserChanges]) -> Answer:
    given = ask.body
    named = ((name, getattr(given, name)) for name in given.__struct_fields__)
    changes = {name: value for name, value in named if value is not UNSET}
    return Answer.of(await users.change_user(ask.house, ask.asked, ask.id(), changes))


async def reset_totp(ask: Ask[NoFields, None]) -> Answer:
    return Answer.of(await totp.reset(ask.house, ask.asked, ask.id()))


ROUTES = (
    Route(
        "POST", "/api/v1/users", create, "users.write", "Create a user", body=UserNew, answer=User, status=201,
        refusals=("already_exists", "not_found"), tag="identity",
    ),
    Route(
        "GET", "/api/v1/users", list_all, "users.read", "List users", query=UsersQuery, answer=UserPage,
        tag="identity",
    ),
    Route(
        "GET", "/api/v1/users/{id}", read, "users.read", "Read a user", answer=User, refusals=("not_found",),
        tag="identity",
    ),
    Route(
        "PATCH", "/api/v1/users/{id}", patch, "users.write", "Change a user", body=UserChanges, answer=User,
        refusals=("not_found", "version_mismatch"), tag="identity",
    ),
    Route(
        "DELETE", "/api/v1/users/{id}/totp", reset_totp, "users.write",
        "Take away the second factor of somebody whose telephone is lost, and end their sessions", status=204,
        refusals=("not_found",), tag="identity",
    ),
)  # fmt: skip
