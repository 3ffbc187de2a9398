"""Ask: the one way in. Each request is bounded, authenticated, allowed, limited, decoded, handed to one handler and
answered, in that order. No handler sees bytes; nothing here knows what a handler does.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import structlog

from holdfast import ids
from holdfast.actor import Actor, Answered, Asked
from holdfast.api import decode
from holdfast.api.problems import STATUS, Problem, problem_of
from holdfast.api.routing import Router
from holdfast.commands.house import House
from holdfast.errors import OutcomeUnknown, Overloaded
from holdfast.live.hub import Hub
from holdfast.states import Reach

Q = TypeVar("Q")
B = TypeVar("B")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]
"""Name in lower case, and value."""
WHOLE = "holdfast.whole"
"""An extension of ASGI: its `send` takes status, headers and content as one piece; False if they must go in parts."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
_IF_MATCH = re.compile(r'"([0-9]{1,9})"')
# What an admin may call who has no second factor yet and must have one.
_ENROLLING = "/api/v1/auth/"
# What a signed-in user asked for and did not get, and that somebody may want to look at afterwards.
_DENIALS = frozenset({"forbidden", "invalid_credentials"})
_log = structlog.get_logger("holdfast.api")


class NoFields(msgspec.Struct, forbid_unknown_fields=True):
    """A query or body without fields."""


@dataclass(slots=True)
class Ask(Generic[Q, B]):
    """One request as its handler sees it."""

    house: House
    hub: Hub
    authenticator: "Authenticator"
    method: str
    path: str
    request_id: str
    deadline: float
    headers: dict[bytes, bytes]
    client_address: str
    parameters: dict[str, str]
    spans: dict[str, float] = field(default_factory=dict)
    route: str = ""
    signed_in: Actor | None = None
    reach: Reach = "all"
    query: Q = None  # type: ignore[assignment]
    body: B = None  # type: ignore[assignment]
    key: str | None = None
    fingerprint: bytes = b""

    @property
    def actor(self) -> Actor:
        if self.signed_in is None:
            raise Problem("unauthenticated", "Sign in first.")
        return self.signed_in

    def id(self, name: str = "id") -> str:
        """A path parameter that is an id. Anything that cannot be one is simply not there: 404."""
        try:
            return ids.canonical(self.parameters[name])
        except ValueError:
            raise Problem("not_found", "There is no such thing.", field=name) from None

    @property
    def if_match(self) -> int | None:
        text = self.headers.get(b"if-match", b"").decode("latin-1").strip()
        if not text or text == "*":
            return None
        found = _IF_MATCH.fullmatch(text)
        if found is None:
            raise Problem("version_mismatch", 'If-Match must be a version in quotes, such as "3".')
        return int(found[1])

    @property
    def asked(self) -> Asked:
        return Asked(
            actor=self.actor, request_id=self.request_id, deadline=self.deadline, key=self.key,
            fingerprint=self.fingerprint, if_match=self.if_match,
        )  # fmt: skip


@dataclass(slots=True)
class Answer:
    """What a handler gives back. `content` is a value to encode, or bytes that are JSON already."""

    content: Any = None
    status: int = 200
    version: int | None = None
    seq: int | None = None
    replayed: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    stream: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None

    @classmethod
    def of(cls, answered: Answered) -> "Answer":
        return cls(
            content=answered.content, status=answered.status, version=answered.version,
            replayed=answered.replayed,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route(Generic[Q, B]):
    """One call. `permission` None: public; "": any signed-in user; else a row of states.PERMISSIONS.

    `query` and `body` are msgspec Structs that forbid unknown fields; `answer` is the answer's type, for
    OpenAPI; `refusals` are the codes it may be refused with beside those every call has; `also_as`: media types
    of text that an Accept header gets instead.
    """

    method: str
    path: str
    handler: Callable[[Ask[Q, B]], Awaitable[Answer]]
    permission: str | None
    summary: str
    query: type[Q] = NoFields  # type: ignore[assignment]
    body: type[B] | None = None
    answer: Any = None
    status: int = 200
    refusals: tuple[str, ...] = ()
    tag: str = ""
    body_optional: bool = False
    media_type: str = "application/json"
    also_as: tuple[str, ...] = ()


class Authenticator(Protocol):
    async def actor(self, headers: Mapping[bytes, bytes], method: str, *, in_use: bool = True) -> Actor:
        """Who asks; `in_use`: somebody is there, and not only an open stream. Raises Problem (401)."""


class Limiter(Protocol):
    def count(self, actor: Actor) -> list[Header]:
        """Counts one request; the RateLimit headers. Raises Problem (429)."""


class Door:
    """The ASGI application of all routes."""

    def __init__(
        self, house: House, hub: Hub, authenticator: Authenticator, limiter: Limiter, router: Router
    ) -> None:
        self._house, self._hub, self._router = house, hub, router
        self._authenticator, self._limiter = authenticator, limiter
        self._settings = house.settings
        house.metrics.may_refuse(STATUS)
        self._authenticated = house.metrics.spans.authenticate.add
        self._clock = asyncio.get_running_loop().time  # asking for the loop is a system call each time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _REQUEST_ID.fullmatch(given) else ids.new()
        ask: Ask[Any, Any] = Ask(
            house=self._house, hub=self._hub, authenticator=self._authenticator, method=scope["method"],
            path=scope["path"], request_id=request_id,
            deadline=self._clock() + self._settings.request_deadline_seconds,
            headers=headers, client_address=(scope.get("client") or ("",))[0], parameters={},
        )  # fmt: skip
        limits: list[Header] = []
        try:
            answer = await self._answer(ask, scope, receive, limits)
            if answer.stream is not None:
                await answer.stream(scope, receive, send)
                return
            content = answer.content
            if not isinstance(content, bytes):
                content = b"" if answer.status == 204 else msgspec.json.encode(content)
        except Exception as error:  # noqa: BLE001 the last resort: an answer, never a broken connection
            answer, content = self._problem(ask, error)
        ask.spans["total"] = seconds = time.perf_counter() - began
        self._house.metrics.answered(ask.method, ask.route, answer.status, seconds)
        told = _headers(ask, answer, content, limits)
        whole = scope.get("extensions", {}).get(WHOLE)
        # headers of its own may be about the connection
        if whole is not None and not answer.headers and whole["send"](answer.status, told, content):
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": told})
        await send({"type": "http.response.body", "body": b"" if ask.method == "HEAD" else content})

    async def _answer(
        self, ask: Ask[Any, Any], scope: Scope, receive: Receive, limits: list[Header]
    ) -> Answer:
        routes, ask.parameters = self._router.find(ask.path)
        route = routes.get(ask.method) or (routes.get("GET") if ask.method == "HEAD" else None)
        raw = await self._read(receive, ask)
        if route is None:
            if not routes:
                raise Problem("not_found", "There is no such path.")
            raise Problem(
                "method_not_allowed", "This path does not know that method.",
                headers={"Allow": ", ".join(sorted(routes))},
            )  # fmt: skip
        ask.route = route.path
        if route.permission is not None:
            await self._let_in(ask, route, limits)
        ask.query = decode.query(scope["query_string"], route.query)
        self._decode_body(ask, route, raw, scope)
        return await route.handler(ask)

    async def _let_in(self, ask: Ask[Any, Any], route: Route[Any, Any], limits: list[Header]) -> None:
        began = time.perf_counter()
        ask.signed_in = actor = await self._authenticator.actor(ask.headers, ask.method)
        ask.spans["authenticate"] = seconds = time.perf_counter() - began
        self._authenticated(seconds)
        limits += self._limiter.count(actor)
        if actor.must_enrol_totp and not route.path.startswith(_ENROLLING):
            raise Problem(
                "totp_enrolment_required",
                "Your organization asks its admins for a second factor: enrol one first.",
            )
        if route.permission:
            reach = actor.reach(route.permission)
            if reach is None:
                raise Problem("forbidden", f"The role {actor.role} may not do this.")
            ask.reach = reach

    def _decode_body(self, ask: Ask[Any, Any], route: Route[Any, Any], raw: bytes, scope: Scope) -> None:
        plain = None
        if route.body is not None:
            if raw or not route.body_optional:
                media_type = ask.headers.get(b"content-type", b"").split(b";")[0].strip().lower()
                if media_type != b"application/json":
                    raise Problem("unsupported_media_type", "The body must be application/json.")
                ask.body, plain = decode.body(raw, route.body, self._settings.request_nesting_max)
            else:
                ask.body = route.body()
        elif raw and (ask.method == "GET" or raw.strip() != b"{}"):  # an empty object says nothing either
            raise Problem("invalid_request", "body: this call takes no body", errors=[
                {"field": "body", "code": "unknown_field", "message": "this call takes no body"}])  # fmt: skip
        key = ask.headers.get(b"idempotency-key")
        if key is not None and ask.method != "GET":
            if not _KEY.fullmatch(key):
                raise Problem("invalid_request", "Idempotency-Key: 1 to 255 visible ASCII characters", errors=[
                    {"field": "Idempotency-Key", "code": "invalid_value",
                     "message": "must be 1 to 255 visible ASCII characters"}])  # fmt: skip
            target = ask.path + "?" + scope["query_string"].decode("latin-1")
            ask.key = key.decode()
            ask.fingerprint = decode.fingerprint(
                ask.method, target, ask.headers.get(b"if-match", b"").decode("latin-1"), plain
            )

    async def _read(self, receive: Receive, ask: Ask[Any, Any]) -> bytes:
        """The body within its bound. A larger one is drained so far that the client reads the answer."""
        message = await receive()
        raw: bytes = message.get("body", b"")
        if not message.get("more_body") and len(raw) <= self._settings.request_body_bytes_max:
            return raw
        chunks, size = [raw], len(raw)
        while message.get("more_body") and size <= self._settings.request_drain_bytes_max:
            message = await receive()
            size += len(message.get("body", b""))
            if size <= self._settings.request_body_bytes_max:
                chunks.append(message.get("body", b""))
        if size > self._settings.request_body_bytes_max:
            limit = self._settings.request_body_bytes_max
            raise Problem(
                "body_too_large", f"A body may have {limit} bytes.", headers={"Connection": "close"}
            )
        return b"".join(chunks)

    def _problem(self, ask: Ask[Any, Any], error: Exception) -> tuple[Answer, bytes]:
        problem = problem_of(error)
        self._count(problem, error)
        if ask.signed_in is not None and _is_denial(problem):
            self._house.denied(
                ask.signed_in, ask.request_id, f"{ask.method} {ask.route}", problem.code, _subject(ask)
            )
        if problem.status == 500:
            # No exception text: it may repeat a person's words. The trace of file and line does not.
            _log.error(
                "internal_error", request_id=ask.request_id, kind=type(error).__name__, trace=_trace(error)
            )
        answer = Answer(status=problem.status, headers=problem.headers, media_type="application/problem+json")
        return answer, problem.content(ask.path, ask.request_id)

    def _count(self, problem: Problem, error: Exception) -> None:
        metrics = self._house.metrics
        metrics.refused(problem.code)
        if isinstance(error, Overloaded):
            metrics.overloaded(error.cause)
        elif isinstance(error, OutcomeUnknown):
            metrics.outcome_unknown()


def _is_denial(problem: Problem) -> bool:
    """That there is none of something is an answer; that an id names nothing one may see is a denial."""
    if problem.code == "not_found":
        return str(problem.members.get("field")).endswith(("id", "ids"))
    return problem.code in _DENIALS


def _subject(ask: Ask[Any, Any]) -> str | None:
    """The id in the request's path, if there is one that can be one."""
    try:
        return ids.canonical(ask.parameters["id"])
    except (KeyError, ValueError):
        return None


def _trace(error: BaseException) -> list[str]:
    frames, at = [], error.__traceback__
    while at is not None:
        frames.append(f"{at.tb_frame.f_code.co_filename.rpartition('holdfast')[2]}:{at.tb_lineno}")
        at = at.tb_next
    return frames


def _headers(ask: Ask[Any, Any], answer: Answer, content: bytes, limits: list[Header]) -> list[Header]:
    timing = ", ".join([f"{name};dur={seconds * 1000:.2f}" for name, seconds in ask.spans.items()])
    headers = [
        (b"content-length", b"%d" % len(content)),
        (b"x-request-id", ask.request_id.encode()),
        (b"server-timing", timing.encode()),
        (b"cache-control", b"no-store"),
        *limits,
    ]
    if content:
        headers.append((b"content-type", answer.media_type.encode()))
    if answer.version is not None:
        headers.append((b"etag", b'"%d"' % answer.version))
    if answer.seq is not None:
        headers.append((b"as-of-seq", b"%d" % answer.seq))
    if answer.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    return headers
