"""Tokens that were not issued here, not for this, or no longer count: each kind answers 401 and nothing else."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from api.people import Client, Organization, sign_in, writing

from holdfast import ids
from holdfast.app import Application
from holdfast.settings import Settings
from holdfast.vault import Vault

ME = "/api/v1/auth/me"


def b64(data: bytes | str | dict[str, Any]) -> str:
    if isinstance(data, dict):
        data = json.dumps(data, separators=(",", ":"))
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Forge:
    """What an attacker has (a good token, the public texts) and, for the worst cases, the real key."""

    def __init__(self, token: str, key: bytes) -> None:
        self.token, self.key = token, key
        self.head, self.body, self.tail = token.split(".")
        self.header: dict[str, Any] = json.loads(unb64(self.head))
        self.claims: dict[str, Any] = json.loads(unb64(self.body))

    def signed(
        self,
        header: dict[str, Any] | str | None = None,
        claims: Any = None,
        key: bytes | None = None,
        digest: str = "sha256",
    ) -> str:
        """A token with a right signature over what is given."""
        head = header if isinstance(header, str) else b64(self.header if header is None else header)
        text = f"{head}.{b64(self.claims if claims is None else claims)}"
        mac = hmac.new(self.key if key is None else key, text.encode(), getattr(hashlib, digest)).digest()
        return f"{text}.{b64(mac)}"

    def claim(self, **changes: Any) -> str:
        return self.signed(claims={n: v for n, v in (self.claims | changes).items() if v is not ...})

    def head_with(self, **changes: Any) -> str:
        return self.signed(header={n: v for n, v in (self.header | changes).items() if v is not ...})


Kind = Callable[[Forge], str]
KINDS: dict[str, Kind] = {
    # The header: algorithm, type, and all the doors that headers open.
    "alg none": lambda f: f"{b64({'alg': 'none', 'typ': 'at+jwt'})}.{f.body}.",
    "alg none with a signature": lambda f: f"{b64({'alg': 'none', 'typ': 'at+jwt'})}.{f.body}.{f.tail}",
    "alg None": lambda f: f"{b64({'alg': 'None', 'typ': 'at+jwt'})}.{f.body}.",
    "alg nOnE": lambda f: f"{b64({'alg': 'nOnE', 'typ': 'at+jwt'})}.{f.body}.",
    "alg empty": lambda f: f.head_with(alg=""),
    "alg missing": lambda f: f.head_with(alg=...),
    "alg null": lambda f: f.head_with(alg=None),
    "alg a list": lambda f: f.head_with(alg=["HS256"]),
    "alg in lower case": lambda f: f.head_with(alg="hs256"),
    "alg HS384": lambda f: f.signed(f.header | {"alg": "HS384"}, digest="sha384"),
    "alg HS512": lambda f: f.signed(f.header | {"alg": "HS512"}, digest="sha512"),
    "alg HS256 but SHA-512": lambda f: f.signed(digest="sha512"),
    "alg RS256": lambda f: f.head_with(alg="RS256"),
    "alg ES256": lambda f: f.head_with(alg="ES256"),
    "alg EdDSA": lambda f: f.head_with(alg="EdDSA"),
    "alg PS256": lambda f: f.head_with(alg="PS256"),
    "alg dir (encrypted)": lambda f: f.head_with(alg="dir", enc="A256GCM"),
    "typ JWT": lambda f: f.head_with(typ="JWT"),
    "typ missing": lambda f: f.head_with(typ=...),
    "typ of a refresh token": lambda f: f.head_with(typ="rt+jwt"),
    "typ with prefix": lambda f: f.head_with(typ="application/at+jwt"),
    "kid": lambda f: f.head_with(kid="../../dev/null"),
    "kid with sql": lambda f: f.head_with(kid="' union select ''--"),
    "jku": lambda f: f.head_with(jku="http://attacker.example/keys"),
    "jwk": lambda f: f.signed(f.header | {"jwk": {"kty": "oct", "k": b64(b"x" * 32)}}, key=b"x" * 32),
    "x5u": lambda f: f.head_with(x5u="http://attacker.example/cert"),
    "crit": lambda f: f.head_with(crit=["exp"], exp=1),
    "b64 false": lambda f: f.head_with(b64=False, crit=["b64"]),
    "zip": lambda f: f.head_with(zip="DEF"),
    "header twice the alg": lambda f: f.signed(b64('{"alg":"HS256","typ":"at+jwt","alg":"HS256"}')),
    "header with spaces": lambda f: f.signed(b64('{"alg": "HS256", "typ": "at+jwt"}')),
    "header a list": lambda f: f.signed(b64("[]")),
    "header nested deep": lambda f: f.signed(b64("[" * 1200)),
    "header no json": lambda f: f.signed(b64("not json")),
    "header empty": lambda f: f.signed(""),
    # The key.
    "key empty": lambda f: f.signed(key=b""),
    "key zeros": lambda f: f.signed(key=bytes(32)),
    "key secret": lambda f: f.signed(key=b"secret"),
    "key of another purpose": lambda f: f.signed(key=hashlib.sha256(f.key).digest()),
    "key as text": lambda f: f.signed(key=base64.b64encode(f.key)),
    # The claims, even with the right signature.
    "expired": lambda f: f.claim(exp=int(time.time()) - 1, iat=int(time.time()) - 900),
    "expired long ago": lambda f: f.claim(exp=1, iat=0),
    "exp missing": lambda f: f.claim(exp=...),
    "exp null": lambda f: f.claim(exp=None),
    "exp as text": lambda f: f.claim(exp=str(int(time.time()) + 900)),
    "exp negative": lambda f: f.claim(exp=-1),
    "exp 2^70": lambda f: f.claim(exp=2**70),
    "exp 1e400": lambda f: f.signed(claims=json.dumps(f.claims).replace(str(f.claims["exp"]), "1e400")),
    "exp NaN": lambda f: f.signed(claims=json.dumps(f.claims | {"exp": float("nan")})),
    "exp infinity": lambda f: f.signed(claims=json.dumps(f.claims | {"exp": float("inf")})),
    "exp a list": lambda f: f.claim(exp=[int(time.time()) + 900]),
    "exp true": lambda f: f.claim(exp=True),
    "issued in the future": lambda f: f.claim(iat=int(time.time()) + 3600),
    "not yet valid": lambda f: f.claim(nbf=int(time.time()) + 3600),
    "iat missing": lambda f: f.claim(iat=...),
    "other issuer": lambda f: f.claim(iss="someone else"),
    "issuer missing": lambda f: f.claim(iss=...),
    "user missing": lambda f: f.claim(sub=...),
    "user unknown": lambda f: f.claim(sub=ids.new()),
    "user no id": lambda f: f.claim(sub="admin"),
    "user a list": lambda f: f.claim(sub=[f.claims["sub"]]),
    "user with sql": lambda f: f.claim(sub="' or 1=1 --"),
    "organization missing": lambda f: f.claim(org=...),
    "organization unknown": lambda f: f.claim(org=ids.new()),
    "organization empty": lambda f: f.claim(org=""),
    "organization with sql": lambda f: f.claim(org="'; set local holdfast.organization_id = ''"),
    "session missing": lambda f: f.claim(sid=...),
    "session unknown": lambda f: f.claim(sid=ids.new()),
    "session null": lambda f: f.claim(sid=None),
    "version older": lambda f: f.claim(ver=f.claims["ver"] - 1),
    "version newer": lambda f: f.claim(ver=f.claims["ver"] + 1),
    "version missing": lambda f: f.claim(ver=...),
    "role chosen by oneself": lambda f: f.claim(role="admin"),
    "scope chosen by oneself": lambda f: f.claim(scope="*"),
    "claims a list": lambda f: f.signed(claims="[]"),
    "claims a text": lambda f: f.signed(claims='"admin"'),
    "claims null": lambda f: f.signed(claims="null"),
    "claims nested deep": lambda f: f.signed(claims='{"a":' + "[" * 1100 + "]" * 1100 + "}"),
    "claims no utf-8": lambda f: f.signed(claims="\udcff".encode("utf-8", "surrogateescape").decode("latin-1")),
    "claims empty": lambda f: f.signed(claims=""),
    # The text.
    "signature missing": lambda f: f"{f.head}.{f.body}.",
    "signature cut": lambda f: f.token[:-1],
    "signature longer": lambda f: f.token + "A",
    "signature altered at its end": lambda f: f.token[:-1] + _next(f.token[-1]),
    "signature altered in its idle bits": lambda f: f.token[:-1] + _next(f.token[-1], 1),
    "signature altered at its start": lambda f: f"{f.head}.{f.body}.{_next(f.tail[0])}{f.tail[1:]}",
    "signature padded": lambda f: f.token + "=",
    "signature of zeros": lambda f: f"{f.head}.{f.body}.{b64(bytes(32))}",
    "claims altered": lambda f: f"{f.head}.{b64(f.claims | {'ver': 2})}.{f.tail}",
    "claims swapped with header": lambda f: f"{f.body}.{f.head}.{f.tail}",
    "two parts": lambda f: f"{f.head}.{f.body}",
    "four parts": lambda f: f.token + ".AAAA",
    "five parts": lambda f: f.token + ".AAAA.AAAA",
    "one part": lambda _: "token",
    "only dots": lambda _: "..",
    "two tokens": lambda f: f"{f.token} {f.token}",
    "two tokens with comma": lambda f: f"{f.token},{f.token}",
    "space inside": lambda f: f.token.replace(".", ". ", 1),
    "standard alphabet": lambda f: f"{f.head}.{f.body}.+/{f.tail[2:]}",
    "quotes around": lambda f: f'"{f.token}"',
    "percent encoded": lambda f: f.token.replace(".", "%2E"),
    "too long by claims": lambda f: f.claim(extra="x" * 3000),
    "64 KiB": lambda _: "A" * 65_536,
    "64 KiB of dots": lambda _: "." * 65_536,
    "the hash of the token": lambda f: hashlib.sha256(f.token.encode()).hexdigest(),
}  # fmt: skip


def _next(character: str, step: int = 16) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[(alphabet.index(character) + step) % 64]


def the_forge(organization: Organization, settings: Settings) -> Forge:
    return Forge(organization.tokens["admin"], Vault(base64.b64decode(settings.secret_key)).token_key)


async def test_every_forged_token_is_refused(
    client: Client, organization: Organization, settings: Settings
) -> None:
    forge = the_forge(organization, settings)
    assert len(KINDS) >= 60
    for warm in (False, True):  # before and after the good one is known here
        wrong: dict[str, int] = {}
        for name, kind in KINDS.items():
            async with client(kind(forge)) as user:
                answer = await user.get(ME)
            if answer.status_code != 401 or answer.json()["code"] != "invalid_token":
                wrong[name] = answer.status_code
            elif "WWW-Authenticate" not in answer.headers:
                wrong[name] = 0
        assert wrong == {}, warm
        async with client(forge.signed()) as user:
            assert (await user.get(ME)).status_code == 200, "the forge itself works"


@pytest.mark.parametrize("credential", [
    "Basic YWRtaW46YWRtaW4=", "Token {token}", "{token}", "Bearer", "Bearer ", "Bearer  {token}", "Bearer\t{token}",
    "Bearer {token} ,", "BearerX {token}", "Digest username=admin", "Negotiate {token}", ", Bearer {token}",
])  # fmt: skip
async def test_only_one_scheme_is_spoken(client: Client, organization: Organization, credential: str) -> None:
    async with client() as nobody:
        header = {"Authorization": credential.format(token=organization.tokens["admin"])}
        assert (await nobody.get(ME, headers=header)).status_code == 401


async def test_without_a_token_nobody_is_signed_in(client: Client, organization: Organization) -> None:
    token = organization.tokens["admin"]
    async with client() as nobody:
        for answer in (
            await nobody.get(ME),
            await nobody.get(ME, headers={"Cookie": f"token={token}; access_token={token}"}),
            await nobody.get(ME, headers={"X-Organization-Id": organization.id, "X-User-Role": "admin"}),
            await nobody.post("/api/v1/auth/logout", json={"refresh_token": "hfr_" + "A" * 112}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert (await nobody.get(ME, params={"access_token": token})).status_code == 401


async def test_a_refresh_token_is_no_access_token(client: Client, organization: Organization) -> None:
    pair = await sign_in(client, organization.emails["admin"])
    async with client(pair["refresh_token"]) as user:
        assert (await user.get(ME)).status_code == 401
        answer = await user.post("/api/v1/auth/refresh", json={"refresh_token": pair["access_token"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_another_organizations_session_is_not_ours(
    client: Client, organization: Organization, stranger: Organization, settings: Settings
) -> None:
    """Even the real key cannot join one organization's session with another's tenant."""
    forge = the_forge(organization, settings)
    theirs = Forge(stranger.tokens["admin"], forge.key).claims
    for mixed in (
        {"org": theirs["org"]}, {"org": theirs["org"], "sub": theirs["sub"]}, {"sid": theirs["sid"]},
        {"sub": theirs["sub"]}, {"sub": theirs["sub"], "sid": theirs["sid"]},
    ):  # fmt: skip
        async with client(forge.claim(**mixed)) as user:
            assert (await user.get(ME)).status_code == 401


async def test_a_session_revoked_elsewhere_ends_here_within_the_recheck(
    application: Application, client: Client, organization: Organization
) -> None:
    assert application.house is not None
    async with client(organization.tokens["biller"]) as user:
        assert (await user.get(ME)).status_code == 200
        async with writing(application, organization.id) as connection:  # as another process would
            await connection.execute(
                "update sign_in_sessions set revoked_at = now(), revoked_because = 'admin' where user_id = $1",
                organization.user_ids["biller"],
            )
        assert (await user.get(ME)).status_code == 200, "known for session_recheck_seconds"
        for known in application.house.identity.known.values():
            known.good_until -= application.house.settings.session_recheck_seconds
        assert (await user.get(ME)).status_code == 401
    assert application.house.settings.session_recheck_seconds <= 60


async def test_what_is_remembered_is_bounded(application: Application, organization: Organization) -> None:
    assert application.house is not None
    identity = application.house.identity
    actor = next(iter(identity.known.values())).actor if identity.known else None
    for number in range(20_100):
        identity.remember(b"%d" % number, actor, 0.0)  # type: ignore[arg-type]
    assert len(identity.known) == 20_000
