"""The gateway itself: one request in, one answer out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from local.gateway.api import Api
from local.types import ACCESS_KEY_ID, SECRET_ACCESS_KEY, HttpRequest, HttpResponse, Invoke, LogSink


class Gateway:
    """Answers requests for the stages deployed to it: the first segment of a path names the stage.

    `credentials` maps access key ids to secrets. Safe to call from many threads.
    """

    def __init__(
        self,
        apis: Iterable[Api] = (),
        *,
        invoke: Invoke,
        log: LogSink | None = None,
        credentials: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        self._credentials = credentials or {ACCESS_KEY_ID: SECRET_ACCESS_KEY}

    def deploy(self, api: Api) -> None:
        """Serve this stage from now on, in place of an earlier one of the same name; counts of quotas are kept."""
        raise NotImplementedError

    def withdraw(self, stage: str) -> None:
        """Serve the stage no longer."""
        raise NotImplementedError

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request. Never raises for what a client sent or a function returned."""
        raise NotImplementedError
