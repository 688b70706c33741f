"""The gateway on a port of this machine."""

from __future__ import annotations

from typing import Protocol

from local.types import HttpRequest, HttpResponse


class Handler(Protocol):
    """What is served: a `Gateway`, or anything that answers like one."""

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        ...


class Server:
    """A serving gateway. `port` is the real one, also when 0 was asked for."""

    port: int

    def close(self) -> None:
        """Stop accepting, let running answers finish (up to 5 s), release the port."""
        raise NotImplementedError


def serve(gateway: Handler, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serve in background threads, on this machine's own address only. Raises: OSError if the port is taken."""
    raise NotImplementedError
