"""HTTP connections that are kept, as many as there are threads that ask at once."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from warmstart.client.answers import ConnectionLost, Reply
from warmstart.errors import Unreachable

_CLOSED: Final = (ConnectionError, ssl.SSLEOFError)
_LOST: Final = (*_CLOSED, IncompleteRead)
_LIES: Final = (UnicodeError, OverflowError, MemoryError)
"""An address that no request can hold; a length that no memory can."""
_PORTS: Final = {"http": 80, "https": 443}


class Address(NamedTuple):
    """Where an endpoint is: `netloc` as a URL has it, `base` before every path."""

    scheme: str
    host: str
    port: int
    netloc: str
    base: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read `http(s)://host[:port]/stage`. Raises: Unreachable."""
        if "@" in url:  # a password may stand there: it is not repeated
            raise Unreachable(
                "endpoint: expected http(s)://host[:port]/stage, got one with a user; take api_key, or iam"
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Unreachable(f"endpoint: expected http(s)://host[:port]/stage, got {url!r}: {error}") from error
        if parts.scheme not in _PORTS or not parts.hostname or parts.query or parts.fragment:
            raise Unreachable(f"endpoint: expected http(s)://host[:port]/stage, got {url!r}")
        port = _PORTS[parts.scheme] if port is None else port  # http.client would seek one in an IPv6 address
        return cls(parts.scheme, parts.hostname, port, parts.netloc, parts.path.rstrip("/"))

    def url(self, path: str) -> str:
        """Return the whole URL of a path that starts with the base."""
        return f"{self.scheme}://{self.netloc}{path}"


class Connections:
    """Sends requests to one address. For any number of threads: each takes an idle connection, or opens one."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: deque[HTTPConnection] = deque()

    def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, *, timeout_s: float
    ) -> Reply:
        """Send a request and read its answer; `timeout_s` bounds each wait. Raises: ConnectionLost, Unreachable.

        If a kept connection turns out to be closed, as servers do after a while, a new one is opened at once; so it is
        if anything came on it since: it would be taken for this request's answer.
        """
        try:
            kept = self._quiet()
            if kept is not None:
                try:
                    return self._send(kept, method, path, headers, body, timeout_s)
                except _CLOSED:  # RemoteDisconnected is a ConnectionError
                    self.close()  # those kept as long are most likely closed as well
            return self._send(self._open(), method, path, headers, body, timeout_s)
        except _LOST as error:
            raise ConnectionLost(self._unanswered(error)) from error
        except (OSError, HTTPException, *_LIES) as error:
            raise Unreachable(self._unanswered(error)) from error

    def close(self) -> None:
        """Close the idle connections; the next request opens another."""
        while (connection := self._take()) is not None:
            connection.close()

    def _quiet(self) -> HTTPConnection | None:
        """Take an idle connection on which nothing came, not even its end."""
        while (connection := self._take()) is not None:
            connection.sock.settimeout(0)
            try:
                connection.sock.recv(1)
            except (BlockingIOError, ssl.SSLWantReadError):
                return connection
            except OSError:
                pass
            connection.close()
        return None

    def _take(self) -> HTTPConnection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _send(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> Reply:
        connection.timeout = timeout_s
        is_sent = is_whole = False
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(timeout_s)
            with suppress(*_CLOSED):  # who refuses a large body may close before all of it came; the refusal is there
                connection.request(method, path, body, headers)
                is_sent = True
            response = connection.getresponse()
            content = response.read()
            is_whole = is_sent and not response.will_close
        finally:
            if is_whole:
                self._idle.append(connection)
            else:
                connection.close()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _open(self) -> HTTPConnection:
        if self._address.scheme == "https":
            return HTTPSConnection(self._address.host, self._address.port, context=self._tls)
        return HTTPConnection(self._address.host, self._address.port)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """One for all connections: it reads the machine's certificates, and resumes sessions."""
        return ssl.create_default_context()

    def _unanswered(self, error: Exception) -> str:
        return f"{self._address.url(self._address.base)}: no answer: {type(error).__name__}: {error}"
