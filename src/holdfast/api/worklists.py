"""/worklists: what somebody at the front desk or in billing must see to, counted and listed. Reads only; how each list
is found is in the SQL functions `worklist_*`.
"""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from holdfast.api import absence_plan, appointment_view, lists
from holdfast.api.appointment_view import Appointment
from holdfast.api.authorizations import Authorization, patients_in_reach
from holdfast.api.dates import check_range
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.groups import GroupStanding
from holdfast.api.lists import Paged
from holdfast.api.wire import Id
from holdfast.commands.gather import Need
from holdfast.commands.organization import OrganizationSettings
from holdfast.commands.reading import Snapshot, snapshot
from holdfast.db.statements import statement
from holdfast.errors import NotFound, Refused
from holdfast.rules import hours
from holdfast.rules.facts import Directory, Visit
from holdfast.slot import local_date

_PATH = "/api/v1/worklists"
Kind = Literal[
    "unconfirmed_tomorrow", "unassigned_room", "needs_action", "groups_needing_action", "no_authorization", "unsigned_notes",
    "unfunded_units", "late_cancellations", "expiring_authorizations", "expiring_credentials", "make_ups_owed",
]  # fmt: skip

# In the order in which they are shown, and which permission reads each.
KINDS: Final[Mapping[str, str]] = MappingProxyType({
    "unconfirmed_tomorrow": "worklists.desk", "unassigned_room": "worklists.desk", "needs_action": "worklists.desk",
    "groups_needing_action": "worklists.desk",
    "no_authorization": "worklists.read", "unsigned_notes": "worklists.read", "unfunded_units": "worklists.read",
    "late_cancellations": "worklists.desk", "expiring_authorizations": "worklists.read",
    "expiring_credentials": "worklists.desk", "make_ups_owed": "worklists.desk",
})  # fmt: skip


class WorklistQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`date`: the day that is looked at; today in each clinic's zone (for what expires: the organization's)."""

    clinic_id: Id | None = None
    date: dt.date | None = None


class WorklistPage(Paged, kw_only=True):
    """The same filters, a page at a time."""

    clinic_id: Id | None = None
    date: dt.date | None = None


class WorklistCount(msgspec.Struct, kw_only=True):
    """`is_minimum`: there are more than were counted."""

    kind: Kind
    count: int
    is_minimum: bool


class Worklists(msgspec.Struct, kw_only=True):
    """The lists that the caller may read, empty ones too, all true at one sequence."""

    worklists: list[WorklistCount]
    as_of_seq: int


class ExpiringCredential(msgspec.Struct, kw_only=True):
    """Whose, which, and until when, the last day included."""

    practitioner_id: str
    practitioner_name: str
    code: str
    state: str | None
    valid_from: str | None
    valid_to: str


class WorkItem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is to be seen to: a visit, a group, an authorization with its patient's name, or a credential. `absence_plan`: where to
    ask what can be done about a visit whose practitioner is away."""

    appointment: Appointment | msgspec.UnsetType = msgspec.UNSET
    absence_plan: str | msgspec.UnsetType = msgspec.UNSET
    group: GroupStanding | msgspec.UnsetType = msgspec.UNSET
    authorization: Authorization | msgspec.UnsetType = msgspec.UNSET
    patient_name: str | msgspec.UnsetType = msgspec.UNSET
    credential: ExpiringCredential | msgspec.UnsetType = msgspec.UNSET


class WorkItemPage(lists.Page, kw_only=True):
    items: list[WorkItem]


async def _opened(reading: Snapshot) -> tuple[Directory, OrganizationSettings, int]:
    found = await reading.gather(Need())
    return (
        found.directory,
        OrganizationSettings.of(found.directory.organization.settings),
        found.facts.seq,
    )


def _own(ask: Ask[Any, Any]) -> str | None:
    """The practitioner whose items alone the caller sees; None: everyone's."""
    return None if ask.reach == "all" else ask.actor.practitioner_id


async def counts(ask: Ask[WorklistQuery, Any]) -> Answer:
    query, house, organization = ask.query, ask.house, ask.actor.organization_id
    check_range(query.date, query.date, 1)
    most = house.settings.worklist_count_max
    kinds = [kind for kind, permission in KINDS.items() if ask.actor.reach(permission) is not None]
    async with snapshot(house, organization) as reading:
        _, chosen, seq = await _opened(reading)
        rows = await reading.connection.fetch(
            statement("worklist_counts"), organization, kinds, query.clinic_id, _own(ask),
            await patients_in_reach(ask, reading.connection), query.date, house.settings.worklist_ahead_days,
            chosen.make_up_days, chosen.expiry_alert_days, most + 1,
        )  # fmt: skip
    found = [
        WorklistCount(kind=row["kind"], count=min(row["counted"], most), is_minimum=row["counted"] > most)
        for row in rows
    ]
    return Answer(Worklists(worklists=found, as_of_seq=seq), seq=seq)


async def listing(ask: Ask[WorklistPage, Any]) -> Answer:
    kind = ask.parameters["kind"]
    if kind not in KINDS:
        raise NotFound("kind")
    if ask.actor.reach(KINDS[kind]) is None:
        raise Refused("forbidden", "Your role does not read this work list.")
    query = ask.query
    check_range(query.date, query.date, 1)
    async with snapshot(ask.house, ask.actor.organization_id) as reading:
        directory, chosen, _ = await _opened(reading)
        if kind == "expiring_authorizations":
            patients = await patients_in_reach(ask, reading.connection)
            return await lists.on(
                ask, reading.connection, "worklist_authorizations_page", query.clinic_id, patients, query.date,
                chosen.expiry_alert_days,
            )  # fmt: skip
        if kind == "expiring_credentials":
            return await lists.on(
                ask, reading.connection, "worklist_credentials_page", query.clinic_id, _own(ask), query.date,
                chosen.expiry_alert_days,
            )  # fmt: skip
        if kind == "groups_needing_action":
            return await lists.on(
                ask, reading.connection, "worklist_groups_page", query.clinic_id, _own(ask), query.date,
                ask.house.settings.worklist_ahead_days,
            )  # fmt: skip
        items, counted, seq = await lists.fetched(
            ask, reading.connection, "worklist_visits_page", kind, query.clinic_id, _own(ask), query.date,
            ask.house.settings.worklist_ahead_days, chosen.make_up_days,
        )  # fmt: skip
    return Answer(lists.page(ask, query, _seen(ask, directory, items), counted), seq=seq)


def _seen(ask: Ask[Any, Any], directory: Directory, stored: list[str]) -> list[WorkItem]:
    """Visits as the caller may see them."""
    found = []
    for visit in (msgspec.json.decode(each, type=Visit) for each in stored):
        shown = appointment_view.seen_by(ask.actor, appointment_view.of_visit(visit, directory))
        if shown is not None:
            found.append(WorkItem(appointment=shown, absence_plan=_absence_plan(ask, directory, visit)))
    return found


def _absence_plan(ask: Ask[Any, Any], directory: Directory, visit: Visit) -> str | msgspec.UnsetType:
    """The path of the plan of whoever is away at a visit, where the caller may read it."""
    is_planned = visit.needs_action == "practitioner_absent" and visit.group_id is None
    for line in visit.lines if is_planned else ():
        away = hours.absences(directory, line.practitioner_id, (line.start, line.end))
        if away and _own(ask) in (None, line.practitioner_id):
            on = local_date(visit.start, directory.clinics[visit.clinic_id].time_zone)
            return absence_plan.PATH.replace("{id}", line.practitioner_id) + f"?date={on}"
    return msgspec.UNSET


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "GET", _PATH, counts, "worklists.read", "How many items each work list has", query=WorklistQuery,
        answer=Worklists, tag="worklists",
    ),
    Route(
        "GET", f"{_PATH}/{{kind}}", listing, "worklists.read", "The items of a work list, most urgent first",
        query=WorklistPage, answer=WorkItemPage, refusals=("not_found",), tag="worklists",
    ),
)  # fmt: skip
