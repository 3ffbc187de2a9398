"""Tokens as text: signed access tokens, opaque refresh tokens and cookies. Pure: no storage, no waiting, no clock of its own.

Nothing here says whether a session is still good; that is in `sign_in.py`.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct
import uuid
from types import MappingProxyType

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from holdfast import ids
from holdfast.vault import derive

ISSUER = "holdfast"
ACCESS_TOKEN_BYTES_MAX = 2048
_ALGORITHM = "HS256"
_HEADER = MappingProxyType({"alg": _ALGORITHM, "typ": "at+jwt"})
# The signature's last character carries two idle bits; only its canonical spelling counts, so that no altered
# token is as good as the issued one.
_ACCESS = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_CLOCK_SKEW_SECONDS = 60

_REFRESH_PREFIX, _COOKIE_PREFIX = "hfr_", "hfc_"
# Organization, session, a number, the secret, the tag.
_OPAQUE = struct.Struct(">16s16sI32s16s")
_TAG_BYTES = 16


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an access token says: issuer, user, organization, session, session version, issued and expiring."""

    iss: str
    sub: str
    org: str
    sid: str
    ver: int
    iat: int
    exp: int


class Refresh(msgspec.Struct, frozen=True):
    """What a refresh token says, and the hash under which its session knows it."""

    organization_id: str
    session_id: str
    rotation: int
    hash: bytes


class Cookie(msgspec.Struct, frozen=True):
    """What the cookie of a page says (`version` is the user's session version), and the hash of its session."""

    organization_id: str
    session_id: str
    version: int
    hash: bytes


class Tokens:
    """Makes and reads tokens with one installation's key."""

    def __init__(self, key: bytes, access_seconds: int) -> None:
        self._key = OctKey.import_key(key)
        self._refresh_key = derive(key, "holdfast refresh tokens v1")
        self._cookie_key = derive(key, "holdfast page cookies v1")
        self._csrf_key = derive(key, "holdfast csrf tokens v1")
        self._access_seconds = access_seconds
        # We are the only issuer and write one header; whatever else a header may say is never looked at.
        self._header = jwt.encode(dict(_HEADER), {}, self._key).encode().split(b".")[0] + b"."

    def access(self, organization_id: str, user_id: str, session_id: str, version: int, now: int) -> str:
        """An access token, good for `access_token_seconds` from `now` (epoch seconds)."""
        claims = {
            "iss": ISSUER, "sub": user_id, "org": organization_id, "sid": session_id, "ver": version,
            "iat": now, "exp": now + self._access_seconds,
        }  # fmt: skip
        return jwt.encode(dict(_HEADER), claims, self._key)

    def claims(self, token: bytes, now: float) -> Claims | None:
        """What a token says if it was issued here and is in its time; None for anything else."""
        if len(token) > ACCESS_TOKEN_BYTES_MAX or not token.startswith(self._header):
            return None
        if not _ACCESS.fullmatch(token):
            return None
        try:
            said = jwt.decode(token, self._key, algorithms=[_ALGORITHM])
            claims = msgspec.convert(said.claims, Claims)
            for each in (claims.org, claims.sub, claims.sid):
                ids.canonical(each)
        except (JoseError, msgspec.ValidationError, ValueError, TypeError, RecursionError):
            return None
        in_time = (
            claims.iat <= now + _CLOCK_SKEW_SECONDS and now < claims.exp <= claims.iat + self._access_seconds
        )
        return claims if in_time and claims.iss == ISSUER else None

    def refresh(self, organization_id: str, session_id: str, rotation: int) -> tuple[str, bytes]:
        """A refresh token and the hash to store for it."""
        return _made(_REFRESH_PREFIX, self._refresh_key, organization_id, session_id, rotation)

    def refresh_read(self, text: str) -> Refresh | None:
        """What a refresh token says if it was issued here; None for anything else.

        The tag makes an older rotation believable: nobody can have a family revoked by inventing a token.
        """
        said = _read(_REFRESH_PREFIX, self._refresh_key, text)
        return Refresh(*said) if said else None

    def cookie(self, organization_id: str, session_id: str, version: int) -> tuple[str, Cookie]:
        """The cookie of a page's session as text, and what it says."""
        text, hashed = _made(_COOKIE_PREFIX, self._cookie_key, organization_id, session_id, version)
        return text, Cookie(organization_id, session_id, version, hashed)

    def cookie_read(self, text: str) -> Cookie | None:
        """What a cookie says if it was issued here; None for anything else, without a look into the database."""
        said = _read(_COOKIE_PREFIX, self._cookie_key, text)
        return Cookie(*said) if said else None

    def csrf(self, session_id: str) -> str:
        """What a page must send along with its cookie: bound to the session, and kept nowhere."""
        digest = hmac.digest(self._csrf_key, uuid.UUID(session_id).bytes, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _made(prefix: str, key: bytes, organization_id: str, session_id: str, number: int) -> tuple[str, bytes]:
    whose = uuid.UUID(organization_id).bytes, uuid.UUID(session_id).bytes
    body = _OPAQUE.pack(*whose, number, secrets.token_bytes(32), b"")[:-_TAG_BYTES]
    text = prefix + base64.urlsafe_b64encode(body + _tag(key, body)).decode()
    return text, _hash(text)


def _read(prefix: str, key: bytes, text: str) -> tuple[str, str, int, bytes] | None:
    """Organization, session, number and hash."""
    if len(text) != len(prefix) + _OPAQUE.size // 3 * 4 or not text.startswith(prefix):
        return None
    try:
        packed = base64.b64decode(text[len(prefix) :].encode("ascii"), b"-_", validate=True)
        organization, session, number, _secret, tag = _OPAQUE.unpack(packed)
    except (binascii.Error, struct.error, UnicodeEncodeError):
        return None
    if not hmac.compare_digest(tag, _tag(key, packed[:-_TAG_BYTES])):
        return None
    return str(uuid.UUID(bytes=organization)), str(uuid.UUID(bytes=session)), number, _hash(text)


def _tag(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_TAG_BYTES]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
