"""Sessions: what was given in a line of a visit, noted by who gave it. A draft is begun and written over here; how it is
signed and amended is in `sign.py`. What is written is sealed at rest, and no event tells it.
"""

from typing import Any, Final

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.commands.save import Document, Noun, answered, read
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.slot import moment
from holdfast.states import TRANSITIONS, WITHOUT_CLAIMS
from holdfast.vault import Seal

WORDS: Final = ("narrative", "subjective", "objective", "assessment", "plan")
"""What is written in a session: free text, and the four parts of a SOAP note for those who keep to it."""
_TOLD: Final = ("id", "appointment_id", "line_no", "practitioner_id", "status", "version")


def _shown(stored: Document, seal: Seal) -> Document:
    session: Document = stored["session"]
    if stored["draft_encrypted"] is not None:
        return session | words_of(seal, stored["draft_encrypted"], draft_context(session["id"]))
    return session | words_of(
        seal, stored["content_encrypted"], version_context(session["id"], session["versions"])
    )


SESSION = Noun("session", "sessions", shown=_shown, private=frozenset(WORDS), in_directory=False)


def words_of(seal: Seal, sealed: str, context: str) -> Document:
    """What was written, from how it is stored (hex)."""
    words: Document = msgspec.json.decode(seal.open(bytes.fromhex(sealed), context))
    return words


def sealed(seal: Seal, session: Document, context: str) -> bytes:
    return seal.seal(msgspec.json.encode({name: session[name] for name in WORDS}), context)


def draft_context(session_id: str) -> str:
    return f"sessions.draft/{session_id}"


def version_context(session_id: str, version_no: int) -> str:
    return f"session_versions.content/{session_id}/{version_no}"


async def begin(house: House, asked: Asked, appointment_id: str, line_no: int, words: Document) -> Answered:
    """A draft: 201. Raises NotFound; Refused (forbidden for a line that somebody else gives, illegal_transition,
    already_exists)."""

    async def work(turn: Turn) -> Answered:
        line = await turn.connection.fetchrow(
            statement("session_line"), turn.organization, appointment_id, line_no
        )
        if line is None:
            raise NotFound("appointment_id")
        if line["practitioner_id"] is None:
            raise NotFound("line_no")
        if str(line["practitioner_id"]) != asked.actor.practitioner_id:
            raise Refused("forbidden", "A session is noted by who gives it.")
        if line["status"] in WITHOUT_CLAIMS:
            raise Refused(
                "illegal_transition", f"Nothing is given in a visit that is {line['status']}.",
                allowed=sorted(TRANSITIONS[line["status"]]), status_now=line["status"], version=line["version"],
            )  # fmt: skip
        if line["session_id"] is not None:
            raise Refused(
                "already_exists", "You have a session of this line already.", field="line_no",
                session_id=str(line["session_id"]),
            )  # fmt: skip
        practitioner, patient = str(line["practitioner_id"]), str(line["patient_id"])
        session = await begun(turn, asked, appointment_id, line_no, practitioner, patient, words)
        return answered(201, await current(turn, session["id"]))

    return await change(house, asked, work)


async def begun(
    turn: Turn, asked: Asked, appointment_id: str, line_no: int, practitioner: str, patient: str, words: Document
) -> Document:  # fmt: skip
    """Keeps a new draft in an open turn. Returns what signing must know of it."""
    session = {
        "id": ids.new(), "appointment_id": appointment_id, "line_no": line_no, "practitioner_id": practitioner,
        "status": "draft", "version": 1, "versions": 0, **words,
    }  # fmt: skip
    await turn.connection.execute(
        statement("session_insert"), turn.organization, session["id"], appointment_id, line_no, practitioner, patient,
        sealed(turn.seal, words, draft_context(session["id"])), asked.actor.user_id, moment(turn.now),
    )  # fmt: skip
    tell(turn, asked, "session.created", session)
    return session


async def write(house: House, asked: Asked, session_id: str, words: Document) -> Answered:
    """Lays `words` over the draft. What would change nothing has no effect and keeps the version. Raises NotFound; Refused
    (session_signed, version_mismatch)."""

    async def work(turn: Turn) -> Answered:
        session = await own(turn, asked, session_id)
        if session["status"] == "signed":
            raise signed_already(session)
        wanted = session | words
        if wanted == session:
            return answered(200, session)
        wanted["version"] = session["version"] + 1
        await turn.connection.execute(
            statement("session_write"), turn.organization, session_id, wanted["version"],
            sealed(turn.seal, wanted, draft_context(session_id)), moment(turn.now),
        )  # fmt: skip
        tell(turn, asked, "session.changed", wanted)
        return answered(200, await current(turn, session_id))

    return await change(house, asked, work)


async def own(turn: Turn, asked: Asked, session_id: str) -> Document:
    """The caller's session that is to be changed. Raises NotFound for another's too, which the caller cannot see; Refused
    (version_mismatch)."""
    session = await current(turn, session_id)
    if session["practitioner_id"] != asked.actor.practitioner_id:
        raise NotFound("id")
    if asked.if_match not in {None, session["version"]}:
        raise Refused(
            "version_mismatch", f"This is version {session['version']} by now.", version=session["version"]
        )
    return session


async def current(turn: Turn, session_id: str) -> Document:
    """Raises NotFound."""
    session, _ = await read(turn.connection, turn.organization, SESSION, turn.seal, session_id)
    return session


def signed_already(session: Document) -> Refused:
    return Refused(
        "session_signed", "The session is signed: what it says can only be amended.", version=session["version"]
    )  # fmt: skip


def check_words(session: Document) -> None:
    """Raises Invalid for a session in which nothing is written."""
    if not any(session[name].strip() for name in WORDS):
        raise Invalid(FieldError("narrative", "missing", "a session without a word cannot be signed"))


def tell(turn: Turn, asked: Asked, kind: str, session: Document, **detail: Any) -> None:
    """Tells what has happened to a session: whose it is, its status and version."""
    turn.tell(kind, {name: session[name] for name in _TOLD})
    turn.note(asked, kind, "session", session["id"], version=session["version"], **detail)
