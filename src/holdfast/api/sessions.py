"""/sessions: what was given in a line of a visit, noted and signed by who gave it. Others read it or do not see it."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from holdfast.api import break_glass, lists, nouns
from holdfast.api.appointments import zone_of_dates
from holdfast.api.dates import check_range
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.lists import Paged
from holdfast.api.wire import Id
from holdfast.commands import save, sessions, sign
from holdfast.commands.save import Document
from holdfast.commands.sessions import SESSION, WORDS
from holdfast.db.statements import statement
from holdfast.errors import NotFound
from holdfast.slot import day_span, moment

Status = Literal["draft", "signed"]
Text = Annotated[str, Meta(max_length=10_000)]
LineNo = Annotated[int, Meta(ge=1, le=20)]
MinutesGiven = Annotated[int, Meta(ge=0, le=1440)]


class NewSession(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Of a line of a visit that the caller gives. What is written may be free (`narrative`), in the four parts of a SOAP note,
    or both; a draft may be empty."""

    appointment_id: Id
    line_no: LineNo = 1
    narrative: Text = ""
    subjective: Text = ""
    objective: Text = ""
    assessment: Text = ""
    plan: Text = ""


class SessionChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Only what is given changes: a draft is saved as often as it is written."""

    narrative: Text | msgspec.UnsetType = msgspec.UNSET
    subjective: Text | msgspec.UnsetType = msgspec.UNSET
    objective: Text | msgspec.UnsetType = msgspec.UNSET
    assessment: Text | msgspec.UnsetType = msgspec.UNSET
    plan: Text | msgspec.UnsetType = msgspec.UNSET


class Signing(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`minutes_actual`: what the line really took, where it is not what completing the visit fixed or would fix."""

    minutes_actual: MinutesGiven | None = None


class Amendment(SessionChange, kw_only=True):
    """What shall be said instead, and why. Other minutes adjust the units that are used."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S", extra={"must": "not be blank"})]
    minutes_actual: MinutesGiven | None = None


class SessionInList(msgspec.Struct, kw_only=True):
    """`start` and `end` are the line's; null, as its service, when the line has left its visit. Units are those of now;
    `units_used` is null until it is signed. `versions`: how often it was signed or amended."""

    id: str
    appointment_id: str
    line_no: int
    clinic_id: str
    patient_id: str
    patient_name: str
    practitioner_id: str
    practitioner_name: str
    service_id: str | None
    service_code: str | None
    start: str | None
    end: str | None
    status: Status
    minutes_actual: int | None
    units_used: int | None
    unfunded_units: int
    versions: int
    signed_at: str | None
    version: int
    created_at: str
    updated_at: str


class Session(SessionInList, kw_only=True):
    narrative: str
    subjective: str
    objective: str
    assessment: str
    plan: str


class SessionVersion(msgspec.Struct, kw_only=True):
    """What was signed, by whom and when; from the second on an amendment with its reason. Minutes and units are those of
    that moment; `unfunded_reason`: why units that no authorization paid for were not funded."""

    version_no: int
    author_id: str
    author_name: str | None
    signed_at: str
    reason: str | None
    minutes_actual: int
    units_used: int
    unfunded_units: int
    unfunded_reason: str | None
    narrative: str
    subjective: str
    objective: str
    assessment: str
    plan: str


class SessionVersions(msgspec.Struct, kw_only=True):
    """Oldest first; none of a draft."""

    items: list[SessionVersion]
    as_of_seq: int


class SessionQuery(Paged, kw_only=True):
    """Newest first. Dates are those of visits, in the organization's zone, both inclusive."""

    practitioner_id: Id | None = None
    patient_id: Id | None = None
    appointment_id: Id | None = None
    status: Status | None = None
    start_date: date | None = None
    end_date: date | None = None


def _words(body: Any) -> Document:
    given = {name: getattr(body, name) for name in WORDS}
    return {name: text for name, text in given.items() if text is not msgspec.UNSET}


async def create(ask: Ask[NoFields, NewSession]) -> Answer:
    body = ask.body
    return Answer.of(
        await sessions.begin(ask.house, ask.asked, body.appointment_id, body.line_no, _words(body))
    )


async def change(ask: Ask[NoFields, SessionChange]) -> Answer:
    return Answer.of(await sessions.write(ask.house, ask.asked, ask.id(), _words(ask.body)))


async def signing(ask: Ask[NoFields, Signing]) -> Answer:
    return Answer.of(await sign.sign(ask.house, ask.asked, ask.id(), ask.body.minutes_actual))


async def amend(ask: Ask[NoFields, Amendment]) -> Answer:
    body = ask.body
    return Answer.of(
        await sign.amend(ask.house, ask.asked, ask.id(), _words(body), body.minutes_actual, body.reason)
    )


async def get(ask: Ask[NoFields, Any]) -> Answer:
    organization = ask.actor.organization_id
    async with ask.house.database.reading(organization) as connection:
        seal = await ask.house.seal(connection, organization)
        session, seq = await save.read(connection, organization, SESSION, seal, ask.id())
    await _check_seen(ask, session)
    return Answer(session, version=session["version"], seq=seq)


async def versions(ask: Ask[NoFields, Any]) -> Answer:
    organization, session_id = ask.actor.organization_id, ask.id()
    async with ask.house.database.reading(organization) as connection:
        seal = await ask.house.seal(connection, organization)
        session, seq = await save.read(connection, organization, SESSION, seal, session_id)
        rows = await connection.fetch(statement("session_versions"), organization, session_id)
    await _check_seen(ask, session)
    items = [sign.version_shown(seal, session_id, msgspec.json.decode(row["document"])) for row in rows]
    return Answer({"items": items, "as_of_seq": seq}, version=session["version"], seq=seq)


async def _check_seen(ask: Ask[Any, Any], session: Document) -> None:
    """Raises NotFound for another's session where the caller sees only their own and no break-glass opens it. Not while a
    connection is held."""
    own = ask.reach == "all" or session["practitioner_id"] == ask.actor.practitioner_id
    if not own and not await break_glass.opens(ask, session["patient_id"]):
        raise NotFound("id")


async def listing(ask: Ask[SessionQuery, Any]) -> Answer:
    query, actor = ask.query, ask.actor
    first, last = query.start_date, query.end_date
    check_range(first, last, ask.house.settings.date_range_days_max)
    lists.size(ask, query)
    practitioner: str | None = query.practitioner_id
    if practitioner is None or practitioner != actor.practitioner_id:
        await break_glass.widened(ask, query.patient_id)
    if ask.reach == "own":
        if practitioner not in (None, actor.practitioner_id):
            return Answer(lists.page(ask, query, [], 0))
        practitioner = actor.practitioner_id
    zone_name = await zone_of_dates(ask, None) or ""
    return await lists.answer(
        ask, "sessions_page", practitioner, query.patient_id, query.appointment_id,
        None if query.status is None else query.status == "signed",
        moment(day_span(first, zone_name)[0]) if first else None, moment(day_span(last, zone_name)[1]) if last else None,
    )  # fmt: skip


_ONE = "/api/v1/sessions/{id}"

ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "POST", "/api/v1/sessions", create, "sessions.write", "Begin the note of a line of a visit", body=NewSession,
        answer=Session, status=201, refusals=("not_found", "already_exists", "illegal_transition"), tag="sessions",
    ),
    Route(
        "GET", "/api/v1/sessions", listing, "sessions.read", "List sessions, without what is written in them",
        query=SessionQuery, answer=nouns.page_of(SessionInList), tag="sessions",
    ),
    Route("GET", _ONE, get, "sessions.read", "Get a session", answer=Session, tag="sessions"),
    Route(
        "PATCH", _ONE, change, "sessions.write", "Write over a draft", body=SessionChange, answer=Session,
        refusals=("session_signed", "version_mismatch"), tag="sessions",
    ),
    Route(
        "POST", f"{_ONE}/sign", signing, "sessions.write",
        "Sign a session: its visit is completed, its minutes are fixed and its units used", body=Signing,
        body_optional=True, answer=Session,
        refusals=("session_signed", "visit_not_begun", "illegal_transition", "version_mismatch"), tag="sessions",
    ),
    Route(
        "POST", f"{_ONE}/amend", amend, "sessions.write", "Amend a signed session: a new version, with a reason",
        body=Amendment, answer=Session, refusals=("session_not_signed", "version_mismatch"), tag="sessions",
    ),
    Route(
        "GET", f"{_ONE}/versions", versions, "sessions.read", "Every version that was signed, oldest first",
        answer=SessionVersions, tag="sessions",
    ),
)  # fmt: skip
