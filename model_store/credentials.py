"""The role's credentials from where Lambda (with SnapStart), ECS and EKS keep them: an address on this host.

A snapshot outlives the credentials that were there when it was taken, so a function that starts from one has none in
its environment, but where to ask for them. Source: AWS SDKs reference, "Container credential provider"; Lambda
developer guide, "Security model for Lambda SnapStart".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock

from model_store.connection import Broken, Connection
from model_store.sigv4 import Credentials
from warmstart.errors import InvalidSetting, StoreDenied, StoreUnavailable

EARLY_S = 300.0
"""New ones are asked for so long before the old ones end."""
_TIMEOUT_S = 2.0


class ContainerCredentials:
    """Call it for credentials that are good now. `clock` gives seconds since the epoch. Safe for several threads."""

    def __init__(self, url: str, token: str, *, clock: Callable[[], float] = time.time) -> None:
        """Keep where to ask, and ask nothing yet. Raises: InvalidSetting."""
        scheme, _, rest = url.partition("://")
        authority, _, path = rest.partition("/")
        host, _, port = authority.partition(":")
        if scheme != "http" or not host or not (port or "80").isdecimal():
            raise InvalidSetting(
                f"AWS_CONTAINER_CREDENTIALS_FULL_URI: expected http://host[:port]/path, got {url[:200]!r}",
                name="AWS_CONTAINER_CREDENTIALS_FULL_URI",
            )
        self._host, self._authority, self._port, self._path = host, authority, int(port or 80), f"/{path}"
        self._token, self._clock = token, clock
        self._lock = Lock()
        self._known: tuple[Credentials, float] | None = None

    def __call__(self) -> Credentials:
        """Return credentials that are good for a while. Raises: StoreUnavailable, StoreDenied."""
        known = self._known
        if known is not None and self._clock() < known[1]:
            return known[0]
        with self._lock:
            if self._known is None or self._clock() >= self._known[1]:
                self._known = self._ask()
            return self._known[0]

    def forget(self) -> None:
        """Ask anew at the next call: what is known is of the time before a snapshot."""
        self._known = None

    def _ask(self) -> tuple[Credentials, float]:
        body = bytearray()
        try:
            connection = Connection(self._host.encode("ascii"), self._port, tls=None, timeout_s=_TIMEOUT_S)
            try:
                head = connection.get(self._path, [("host", self._authority), ("authorization", self._token)])
                connection.read_into(head, body.extend)
            finally:
                connection.close()
        except (Broken, OSError) as error:
            raise StoreUnavailable(f"credentials: {self._authority} did not answer: {error}") from error
        if head.status != 200:
            raise StoreDenied(f"credentials: {self._authority} answered {head.status}; the function has no role?")
        return _parse(bytes(body), self._authority)


def _parse(body: bytes, where: str) -> tuple[Credentials, float]:
    try:
        document = json.loads(body)
        found = Credentials(*(str(document[name]) for name in ("AccessKeyId", "SecretAccessKey", "Token")))
        return found, datetime.fromisoformat(document["Expiration"]).timestamp() - EARLY_S
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise StoreUnavailable(f"credentials: {where} answered no credentials: {type(error).__name__}") from error
