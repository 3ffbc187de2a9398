"""One person who speaks to an installation: a request after the other over one kept connection. For making data, signing in
and looking; load comes from the driver.
"""

import http.client
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from holdfast.plain import PlainError

_TIMEOUT_SECONDS = 30.0
_LONG_SECONDS = 330.0
"""Deleting a scratch organization takes as long as there are rows: the server gives itself five minutes."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where an installation answers."""

    host: str
    port: int
    tls: bool = False

    @property
    def host_header(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def of(cls, url: str) -> Self:
        """From a URL as a person types it. Raises PlainError."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
            raise PlainError(
                f"--url is the installation's address, such as http://127.0.0.1:8080; {url} is not."
            )
        tls = parts.scheme == "https"
        return cls(host=parts.hostname, port=parts.port or (443 if tls else 80), tls=tls)


class Unexpected(PlainError):
    """The installation answered otherwise than it must for the proof to go on; `status` is what it answered (0: nothing)."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class Client:
    """`token` may be replaced when it is about to run out."""

    def __init__(self, address: Address, token: str = "") -> None:
        self.address, self.token = address, token
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def headers(self) -> dict[str, str]:
        signed = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return {"host": self.address.host_header} | signed

    def ask(
        self, method: str, path: str, body: Any = None, *, seconds: float = _TIMEOUT_SECONDS
    ) -> tuple[int, Any]:
        """Status and document; None for an answer without one. Raises Unexpected when nothing answers."""
        content = None if body is None else json.dumps(body).encode()
        status, raw = self.send(method, path, content, seconds=seconds)
        return status, json.loads(raw) if raw else None

    def send(
        self, method: str, path: str, content: bytes | None = None, *, seconds: float = _TIMEOUT_SECONDS,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, bytes]:  # fmt: skip
        """Status and bytes. A connection that the server has closed meanwhile is made anew once. Raises Unexpected when
        nothing answers."""
        given = self.headers | dict(headers) | ({"content-type": "application/json"} if content else {})
        is_kept = self._connection is not None
        try:
            connection = self._connected(seconds)
            connection.request(method, path, content, given)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if is_kept and isinstance(error, ConnectionError):
                return self.send(method, path, content, seconds=seconds, headers=headers)
            raise Unexpected(f"{method} {path} was not answered: {error}", 0) from None
        return answer.status, raw

    def made(self, path: str, **fields: Any) -> dict[str, Any]:
        """What a POST to /api/v1 answers with 200 or 201. Raises Unexpected."""
        found: dict[str, Any] = self.must("POST", f"/api/v1{path}", fields)
        return found

    def got(self, path: str) -> Any:
        """What a GET of /api/v1 answers with 200. Raises Unexpected."""
        return self.must("GET", f"/api/v1{path}")

    def must(self, method: str, path: str, body: Any = None, *, seconds: float = _TIMEOUT_SECONDS) -> Any:
        """The document of an answer below 300. Raises Unexpected."""
        status, document = self.ask(method, path, body, seconds=seconds)
        if status >= 300:
            raise Unexpected(f"{method} {path} was answered {status}: {json.dumps(document)[:300]}", status)
        return document

    def delete(self, path: str) -> None:
        """With the patience that deleting an organization needs. Raises Unexpected."""
        self.must("DELETE", path, seconds=_LONG_SECONDS)

    def _connected(self, seconds: float) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self.address.tls else http.client.HTTPConnection
            self._connection = kind(self.address.host, self.address.port, timeout=seconds)
        elif self._connection.sock is not None:
            self._connection.sock.settimeout(seconds)
        return self._connection
