"""Tokens as text: signed access tokens and opaque refresh tokens. Pure: no storage, no waiting, no clock of its own.

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

_REFRESH_PREFIX = "hfr_"
_REFRESH = struct.Struct(">16s16sI32s16s")
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


class Tokens:
    """Makes and reads tokens with one installation's key."""

    def __init__(self, key: bytes, access_seconds: int) -> None:
        self._key = OctKey.import_key(key)
        self._refresh_key = derive(key, "holdfast refresh tokens v1")
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
        whose = uuid.UUID(organization_id).bytes, uuid.UUID(session_id).bytes
        packed = _REFRESH.pack(*whose, rotation, secrets.token_bytes(32), b"")
        body = packed[:-_TAG_BYTES]
        text = _REFRESH_PREFIX + base64.urlsafe_b64encode(body + self._tag(body)).decode()
        return text, _hash(text)

    def refresh_read(self, text: str) -> Refresh | None:
        """What a refresh token says if it was issued here; None for anything else.

        The tag makes an older rotation believable: nobody can have a family revoked by inventing a token.
        """
        if len(text) != len(_REFRESH_PREFIX) + _REFRESH.size // 3 * 4 or not text.startswith(_REFRESH_PREFIX):
            return None
        try:
            packed = base64.b64decode(text[len(_REFRESH_PREFIX) :].encode("ascii"), b"-_", validate=True)
            organization, session, rotation, _secret, tag = _REFRESH.unpack(packed)
        except (binascii.Error, struct.error, UnicodeEncodeError):
            return None
        if not hmac.compare_digest(tag, self._tag(packed[:-_TAG_BYTES])):
            return None
        return Refresh(
            str(uuid.UUID(bytes=organization)), str(uuid.UUID(bytes=session)), rotation, _hash(text)
        )

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._refresh_key, body, "sha256")[:_TAG_BYTES]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
