"""Who asks: the signed-in user as the token and its session say. Made by `api/`, read everywhere."""

import msgspec

from holdfast import states


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    organization_id: str
    user_id: str
    session_id: str
    email: str
    role: str
    practitioner_id: str | None = None
    patient_id: str | None = None
    patient_ids: tuple[str, ...] = ()
    must_enrol_totp: bool = False
    """The organization wants a second factor of its admins, and this one has none yet: only /auth is open."""

    def reach(self, permission: str) -> states.Reach | None:
        return states.reach(permission, self.role)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a change must know of the request that asks for it.

    `key` and `fingerprint` are both there or both not. `deadline` is in the event loop's clock, seconds.
    `if_match` is the version that the caller believes in.
    """

    actor: Actor
    request_id: str
    deadline: float
    key: str | None = None
    fingerprint: bytes = b""
    if_match: int | None = None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What a change answers: encoded once, stored under the key as it was sent."""

    status: int
    content: bytes
    version: int | None = None
    replayed: bool = False
