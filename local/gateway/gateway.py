"""The gateway itself: one request in, one answer out."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from local.gateway.answers import render
from local.gateway.api import Api
from local.gateway.context import Context, Signer, substitute
from local.gateway.failures import Failure, body_too_large, misconfigured
from local.gateway.headers import last
from local.gateway.integration import call
from local.gateway.keys import Admission, Keys, target_of
from local.gateway.limits import MAX_BODY_BYTES, MAX_HEADER_BYTES
from local.gateway.routes import Match, Routes
from local.gateway.sigv4 import verify
from local.gateway.trace import trace_of
from local.gateway.validate import BodyValidators, check_parameters
from local.types import ACCESS_KEY_ID, SECRET_ACCESS_KEY, HttpRequest, HttpResponse, Invoke, LogSink

_LOG: Final = logging.getLogger(__name__)


def _uuid() -> str:
    return str(uuid.uuid4())


class _Deployed:
    """A stage with what was prepared of it once."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.routes = Routes(api.routes)
        self.keys = Keys(api)
        self.validators = BodyValidators(api)


class Gateway:
    """Answers requests for the stages deployed to it: the first segment of a path names the stage.

    `credentials` maps access keys to secrets (the twin's own by default); `clock` gives seconds since the epoch.
    Safe to call from many threads.
    """

    def __init__(
        self,
        apis: Iterable[Api] = (),
        *,
        invoke: Invoke,
        log: LogSink | None = None,
        credentials: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = _uuid,
    ) -> None:
        self._invoke = invoke
        self._log = log
        self._credentials = {ACCESS_KEY_ID: SECRET_ACCESS_KEY} if credentials is None else credentials
        self._clock = clock
        self._new_id = new_id
        self._admission = Admission()
        self._stages: dict[str, _Deployed] = {}
        for api in apis:
            self.deploy(api)

    def deploy(self, api: Api) -> None:
        """Serve this stage from now on, in place of an earlier one of the same name; counts of quotas are kept."""
        self._stages[api.stage.name] = _Deployed(api)

    def withdraw(self, stage: str) -> None:
        """Serve the stage no longer."""
        self._stages.pop(stage, None)

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request. Never raises for what a client sent or a function returned."""
        return self._serve(request, self._answer)

    def too_large(self, request: HttpRequest) -> HttpResponse:
        """Answer a request whose body is above 10 MB, without having read it; `request.body` is empty."""
        return self._serve(request, _refuse_body)

    def _serve(self, request: HttpRequest, answer: Callable[[_Deployed, Context], HttpResponse]) -> HttpResponse:
        if _header_bytes(request) > MAX_HEADER_BYTES:
            return _plain(431, f"HTTP header is larger than {MAX_HEADER_BYTES} bytes.")
        stage, path = _split(request.path)
        if (deployed := self._stages.get(stage)) is None:
            return self._forbidden()
        context = self._context(deployed.api, request, path)
        try:
            response = answer(deployed, context)
        except Failure as failure:
            response = render(failure, context)
        except Exception:  # noqa: BLE001 - the one boundary: a fault of ours is a 500, as it is on AWS
            _LOG.exception("The gateway failed at %s %s", request.method, request.path)
            response = render(misconfigured("The twin's gateway failed; its log says why"), context)
        return self._finished(response, context)

    def _context(self, api: Api, request: HttpRequest, path: str) -> Context:
        now = self._clock()
        header = last(request.headers, "x-amzn-trace-id")
        return Context(
            api=api,
            request=request,
            path=path,
            request_id=self._new_id(),
            at=now,
            trace=trace_of(header, at=now, new_id=self._new_id, sampled=api.stage.tracing_enabled),
        )

    def _answer(self, deployed: _Deployed, context: Context) -> HttpResponse:
        """Go through API Gateway's steps in its order. Raises: Failure."""
        if len(context.request.body) > MAX_BODY_BYTES:
            raise body_too_large()
        match = context.match = self._matched(deployed, context)
        if match.method.authorization == "AWS_IAM":
            context.signer = self._signer(context)
        self._admit(deployed, context, match)
        if match.method.validator.parameters:
            check_parameters(match, context.request)
        if match.method.validator.body:
            deployed.validators.check(match.method, context.request)
        return call(context, self._invoke)

    def _matched(self, deployed: _Deployed, context: Context) -> Match:
        try:
            return deployed.routes.match(context.path, context.request.method)
        except Failure:
            # AWS takes an Authorization header on an unknown route for a signature, and answers if it is none.
            if last(context.request.headers, "authorization") is not None:
                self._signer(context)
            raise

    def _signer(self, context: Context) -> Signer:
        api = context.api
        access_key = verify(context.request, self._credentials, region=api.region, now=context.at)
        return Signer(access_key=access_key, account=api.account)

    def _admit(self, deployed: _Deployed, context: Context, match: Match) -> None:
        target = target_of(match.route, match.method)
        if match.method.api_key_required:
            context.key, plan = deployed.keys.check(context.request)
            self._admission.admit_key(context.api, plan, context.key, target, context.at)
        self._admission.admit_method(context.api, target, context.at)

    def _forbidden(self) -> HttpResponse:
        """No such stage: AWS answers for the domain, not for the API."""
        headers = (
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", self._new_id()),
            ("x-amzn-ErrorType", "ForbiddenException"),
        )
        return HttpResponse(status=403, headers=headers, body=b'{"message":"Forbidden"}')

    def _finished(self, response: HttpResponse, context: Context) -> HttpResponse:
        context.status = response.status
        context.response_bytes = len(response.body)
        context.response_latency_ms = round((self._clock() - context.at) * 1000)
        access_log = context.api.stage.access_log
        if self._log and access_log:
            line = " ".join(substitute(access_log.format, context, missing="-", style="plain").splitlines())
            self._log(access_log.group, f"{context.api.id}/{context.api.stage.name}", [line])
        own = (("x-amzn-RequestId", context.request_id), ("x-amz-apigw-id", context.extended_request_id))
        return HttpResponse(status=response.status, headers=(*response.headers, *own), body=response.body)


def _refuse_body(_: _Deployed, __: Context) -> HttpResponse:
    raise body_too_large()


def _split(path: str) -> tuple[str, str]:
    """Split a raw path into the stage and the rest: `/prod/v2/models` is `prod` and `/v2/models`."""
    stage, separator, rest = path.lstrip("/").partition("/")
    return stage, separator + rest


def _header_bytes(request: HttpRequest) -> int:
    """Count the request line and the header values."""
    query = len(request.query) + 1 if request.query else 0
    line = len(request.method) + 1 + len(request.path) + query + len(" HTTP/1.1")
    return line + sum(len(value) for _, value in request.headers)


def _plain(status: int, text: str) -> HttpResponse:
    return HttpResponse(status=status, headers=(("Content-Type", "text/plain; charset=utf-8"),), body=text.encode())
