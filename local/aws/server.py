"""moto's AWS on a port of this machine, in this process."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError
from moto import settings
from moto.cloudformation import models
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from local.aws import conditions, kept, stacks
from local.aws.kept import Kept

_LOG: Final = logging.getLogger(__name__)
_ERRORS_KEPT: Final = 5
_HOST: Final = "127.0.0.1"
_REQUEST_ID: Final = "x-amzn-requestid"


class _Handler(MotoRequestHandler):
    disable_nagle_algorithm = True  # answers are written in two pieces: without this, each waits for the other's ACK

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing of each request."""


class _Errors(logging.Handler):
    """Keeps the last errors that moto logged, for the message of a failed deployment."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last: deque[str] = deque(maxlen=_ERRORS_KEPT)
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.last.append(self.format(record))


class AwsServer:
    """A running server.

    `after_change` is called after each stack that was created, changed or deleted, and after each call that changes
    something of API Gateway, before the caller has its answer.
    """

    def __init__(self, *, keep: Kept | None, after_change: Callable[[], None], port: int = 0) -> None:
        stacks.install()
        BackendDict.reset()
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        self._app = DomainDispatcherApplication(create_backend_app)
        self._kept = keep
        kept.install(keep)
        conditions.install()
        self._after_change = after_change
        stacks.AFTER_CHANGE[:] = [after_change]
        server = make_server(_HOST, port, self._answer, threaded=True, request_handler=_Handler)
        self.port: int = server.server_port
        setattr(settings, "moto_server_port", lambda: str(self.port))  # noqa: B010 - Step Functions calls back here
        self._errors = _Errors()
        logging.getLogger().addHandler(self._errors)
        self._running = [_run(server)]

    @property
    def url(self) -> str:
        """The endpoint, for `AWS_ENDPOINT_URL`."""
        return f"http://{_HOST}:{self.port}"

    def listen(self, bound: socket.socket) -> None:
        """Answer on a second socket, too, which listens already; it is closed with the server."""
        host, port = bound.getsockname()[:2]
        with bound:  # werkzeug makes its own of it
            server = make_server(host, port, self._answer, threaded=True, request_handler=_Handler, fd=bound.fileno())
        self._running.append(_run(server))

    def errors(self) -> list[str]:
        """Return the last errors, with their traces."""
        return list(self._errors.last)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._kept is not None:
            self._kept.begin()
        try:
            answer: Iterable[bytes] = self._app(environ, _with_one_request_id(start_response))
        finally:
            if self._kept is not None:
                self._kept.finish()
        if _changes_an_api(environ):
            self._follow()
        return answer

    def _follow(self) -> None:
        try:
            self._after_change()
        except (ValueError, ClientError) as error:  # what cannot be served, or was deleted while it was read
            _LOG.warning("the gateway goes on with the API as it was: %s", error)

    def stop(self) -> None:
        """Stop serving, free the port, forget everything."""
        for server, thread in self._running:
            server.shutdown()
            server.server_close()
            thread.join()
        stacks.AFTER_CHANGE.clear()
        kept.install(None)
        BackendDict.reset()
        reset_model_data()
        logging.getLogger().removeHandler(self._errors)


def _run(server: BaseWSGIServer) -> tuple[BaseWSGIServer, threading.Thread]:
    thread = threading.Thread(target=server.serve_forever, name="aws", daemon=True)
    thread.start()
    return server, thread


def _with_one_request_id(start_response: Callable[..., Any]) -> Callable[..., Any]:
    """Leave out the id that moto makes up for an invocation behind the one that it has: boto3 would read both."""

    def start(status: str, headers: list[tuple[str, str]], *others: Any) -> Any:
        first = next((value for name, value in headers if name.lower() == _REQUEST_ID), "")
        kept = [(name, value) for name, value in headers if name.lower() != _REQUEST_ID or value == first]
        return start_response(status, kept, *others)

    return start


def _changes_an_api(environ: Mapping[str, Any]) -> bool:
    """Say whether a request is signed for API Gateway's own API, and is no reading one."""
    return environ["REQUEST_METHOD"] != "GET" and "/apigateway/" in environ.get("HTTP_AUTHORIZATION", "")


def template_to_json(text: str) -> str:
    """Turn a template in YAML, with CloudFormation's short forms, into JSON: reading that is a hundred times faster."""
    return json.dumps(models.Stack.parse_template(text))
