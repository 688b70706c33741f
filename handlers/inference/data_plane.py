"""The data plane put together: request in, answer out, one line written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, assert_never

from handlers.inference import events
from handlers.inference.answers import INTERNAL, Answer, answer, refuse
from handlers.inference.artifacts import ModelFiles
from handlers.inference.observability import Invocation, Observer
from handlers.inference.onnx_session import RUNTIME, OnnxSession
from handlers.inference.resolver import Resolver
from handlers.inference.routes.route import (
    Describe,
    Document,
    Fixed,
    Infer,
    Inquiry,
    Listing,
    Load,
    Operation,
    Report,
    Route,
    Versions,
)
from handlers.inference.routes.table import Routes, areas_of
from handlers.inference.service import InferenceService, Sessions, named
from handlers.inference.sessions import OpenSession, SessionCache
from handlers.inference.timing import Timing
from handlers.inference.variants import Variants, read_cpuinfo
from model_store.registry_reader import RegistryReader
from warmstart.errors import InvalidReference, InvalidRequest, NotReady, WarmstartError
from warmstart.limits import MIB
from warmstart.protocols.wire import INPUT_LOCATION, OUTPUT_LOCATION, Request, quick
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from handlers.inference.payloads import Exchange, Payloads
    from handlers.inference.preload import Preloading
    from handlers.inference.settings import InferenceSettings
    from model_store.objects import ObjectReader
    from model_store.payload_objects import PayloadObjects
    from model_store.signing.public_key import PublicKey
    from model_store.signing.verify import Trust

WORTHWHILE_BYTES = 16_384
"""Below it an answer is sent without a content coding: it is a few packets either way."""


class Edge(NamedTuple):
    """What the way to the client allows. `check_answer` is asked of each body, with its media type."""

    decoded_bytes: int = 64 * MIB
    """Of a body, once its content coding is taken off."""
    check_answer: Callable[[bytes, str], None] = events.check_size
    """Raises: AnswerTooLarge."""


Given = TypeVar("Given")
"""What a request is read from."""

LAST_RESORT: Final = b'{"error":"internal error; the log has the details"}'
"""Of no protocol's shape: what would write it has failed."""


class DataPlane:
    """Answers requests. `setup_ns` is what the process's import took; `default_model` is asked where none is named.

    With `shows_timing`, answers say where their time went, in a `Server-Timing` header.
    `is_ready` says whether the process wants requests: a server's does not before it has loaded what it is to load.
    `payloads` is called once a request names a body that is on S3; without it such a request is refused.
    """

    def __init__(
        self,
        service: InferenceService,
        observer: Observer,
        routes: Routes,
        *,
        edge: Edge,
        default_model: ModelRef | None,
        shows_timing: bool,
        setup_ns: int,
        clock_ns: Callable[[], int],
        is_ready: Callable[[], bool] = lambda: True,
        payloads: Callable[[], Payloads] | None = None,
    ) -> None:
        self._is_ready, self._payloads = is_ready, payloads
        self._service, self._observer, self._routes, self._edge = service, observer, routes, edge
        self._default_model, self._shows_timing, self._clock_ns = default_model, shows_timing, clock_ns
        self._setup_ns: int | None = setup_ns

    def finish(self, preloading: Preloading) -> None:
        """Open the models that were fetched beside the imports: it counts as setting up."""
        started = self._clock_ns()
        preloading.finish(self._service.ready, self._observer.warn)
        self._setup_ns = (self._setup_ns or 0) + self._clock_ns() - started

    def answer(self, event: Mapping[str, Any], request_id: str, trace_id: str | None = None) -> dict[str, Any]:
        """Answer one of API Gateway's proxy events; nothing is raised."""
        return events.to_gateway(self._answer(events.parse_event, event, request_id, trace_id), request_id)

    def respond(self, request: Request, request_id: str, trace_id: str | None = None) -> Answer:
        """Answer one request; nothing is raised."""
        return self._answer(lambda given: given, request, request_id, trace_id)

    def _answer(self, read: Callable[[Given], Request], given: Given, request_id: str, trace_id: str | None) -> Answer:
        """Answer what `read` makes of it. In one function: every call costs each warm request."""
        clock_ns = self._clock_ns
        started = clock_ns()
        request: Request | None = None
        route: Route | None = None
        exchange: Exchange | None = None
        failure: Exception | None = None
        try:
            try:
                request = read(given)
                route, headers = self._routes.find(request.method, request.path), request.headers
                if INPUT_LOCATION in headers or OUTPUT_LOCATION in headers:
                    exchange = self._exchange(route, request)
                    request = exchange.fetch(request)
                if "content-encoding" in headers:
                    request = self._decoded(request)
                act = route.act
                if isinstance(act, Infer):
                    found = self._infer(act, route.ref, request, started)
                else:
                    found = self._perform(act, route, request)
                if exchange is not None and exchange.target is not None:
                    found = exchange.deliver(found)
                elif len(found.body) >= WORTHWHILE_BYTES:
                    found = self._encoded(found, request)
            except WarmstartError as error:
                found = self._refuse(error, request, route)
            except Exception as error:  # noqa: BLE001 - the one boundary: logged with its trace, answered without detail
                failure = error
                found = self._refuse(WarmstartError(INTERNAL), request, route)
            elapsed_ns = clock_ns() - started
            ran, model = found.ran, found.model
            if ran is not None and ran.opened is None and self._setup_ns is None and route is not None:
                self._observer.note_warm(route, request_id, trace_id, elapsed_ns, model, ran)
                return found
            if found.error is not None and model is not None:
                self._service.tally.failed(model, elapsed_ns)
            setup_ns, self._setup_ns = self._setup_ns, None
            self._observer.note(Invocation(route, request_id, trace_id, setup_ns, elapsed_ns, failure), found)
            return found
        except Exception:  # noqa: BLE001 - a refusal that cannot be written, or a log that cannot
            from traceback import print_exc  # not for who never fails so

            print_exc()
            return Answer(500, LAST_RESORT)

    def is_instant(self, request: Request) -> bool:
        """Say whether a request is answered, or refused, without a model and without the store."""
        try:
            return isinstance(self._routes.find(request.method, request.path).act, Fixed)
        except WarmstartError:
            return True

    def is_warm(self, request: Request) -> bool:
        """Say whether a request waits for nothing but its computation: neither the store nor a session to open."""
        try:
            route = self._routes.find(request.method, request.path)
            match route.act:
                case Infer():
                    return self._service.is_warm(self._asked(route.act, route.ref, request))
                case Load():
                    return self._service.is_warm(route.ref or self._default())
                case _:
                    return False
        except WarmstartError:  # it is refused
            return True

    def refuse(self, error: WarmstartError, path: str, request_id: str, trace_id: str | None = None) -> Answer:
        """Refuse a request that is not let in, in the shape of the protocol that its path speaks."""
        found = refuse(error, self._routes.render_error(path))
        self._observer.note(Invocation(None, request_id, trace_id, None, 0, None), found)
        return found

    def _refuse(self, error: WarmstartError, request: Request | None, route: Route | None) -> Answer:
        render = route.render_error if route else self._routes.render_error(request.path if request else "")
        return refuse(error, render)

    def _exchange(self, route: Route, request: Request) -> Exchange:
        if type(route.act) is not Infer:
            raise InvalidRequest(
                f"{INPUT_LOCATION}, {OUTPUT_LOCATION}: expected with an inference, got one with {request.path}"
            )
        if self._payloads is None:
            raise InvalidRequest(f"{INPUT_LOCATION}, {OUTPUT_LOCATION}: expected bodies in requests and answers here")
        return self._payloads().exchange(request)

    def _decoded(self, request: Request) -> Request:
        from warmstart.protocols.coding import decode

        body = decode(request.body, request.headers["content-encoding"], self._edge.decoded_bytes)
        return request._replace(body=body)

    def _encoded(self, found: Answer, request: Request) -> Answer:
        """Compress a large answer for who reads it compressed; see that what is sent can be sent."""
        try:
            if likes := request.headers.get("accept-encoding"):
                from warmstart.protocols.coding import accepted_coding, encode

                if (coding := accepted_coding(likes)) is not None:
                    headers = (*found.headers, ("content-encoding", coding), ("vary", "accept-encoding"))
                    found = found._replace(body=encode(found.body, coding), headers=headers)
                    self._edge.check_answer(found.body, coding)
                    return found
            self._edge.check_answer(found.body, found.content_type)
        except WarmstartError as error:
            error.model = found.model
            raise
        return found

    def _perform(self, act: Inquiry, route: Route, request: Request) -> Answer:
        ref = route.ref
        match act:
            case Fixed():
                if route.operation is Operation.READY and not self._is_ready():
                    raise NotReady("server: not ready: it loads its models, or is about to end; ask again")
                return answer(act.rendered)
            case Describe():
                manifest = self._service.describe(ref or self._default())
                return answer(act.render(manifest), model=named(manifest))
            case Versions():
                model = ref or self._default()
                first, *others = self._service.versions(model)
                return answer(act.render([first, *others]), model=ModelRef(model.name, first, None))
            case Document():
                manifest, body = self._service.document(ref or self._default(), act.path)
                return answer(act.render(manifest, body), model=named(manifest))
            case Load():
                manifest = self._service.ready(ref or self._default())
                return answer(act.render(manifest), model=named(manifest))
            case Listing():
                if act.check is not None:
                    act.check(request)
                return answer(act.render(self._service.published()))
            case Report():
                return self._report(ref)
        assert_never(act)

    def _infer(self, act: Infer, ref: ModelRef | None, request: Request, started_ns: int) -> Answer:
        if ref is None or act.refine is not None:
            ref = self._asked(act, ref, request)
        call = act.read(request)
        written, model, ran, resolve_ns, parse_ns, render_ns = self._service.infer(ref, call, started_ns)
        body, content_type, headers = written
        if (opened := ran.opened) is None and self._setup_ns is None and not self._shows_timing:
            return quick(Answer, (200, body, content_type, headers, model, ran, None, None))
        fetch_ns, session_ns = (0, 0) if opened is None else opened[:2]
        timing = Timing(self._setup_ns or 0, resolve_ns, fetch_ns, session_ns, parse_ns, ran.run_ns, render_ns)
        if self._shows_timing:
            headers = (*headers, ("server-timing", timing.header()))
        return Answer(200, body, content_type, headers, model, ran, None, timing)

    def _asked(self, act: Infer, ref: ModelRef | None, request: Request) -> ModelRef:
        """Return the model that a request means, by its path, by what it says itself, or by the stage's setting."""
        if ref is None and act.choose is not None:
            ref = act.choose(request)
        if act.refine is not None:
            ref = act.refine(request, ref or self._default_model)
        return ref or self._default()

    def _default(self) -> ModelRef:
        if self._default_model is None:
            raise InvalidReference(
                "model: expected one in the path, or the setting default_model of this stage; got neither"
            )
        return self._default_model

    def _report(self, ref: ModelRef | None) -> Answer:
        from warmstart.protocols.oip_documents import render_statistics

        if ref is None:
            return answer(render_statistics(self._service.tally.read()))
        model = named(self._service.describe(ref))
        return answer(render_statistics(self._service.tally.read(model)), model=model)


def build_data_plane(
    settings: InferenceSettings,
    reader: ObjectReader,
    *,
    write: Callable[[bytes], object],
    edge: Edge = Edge(),  # noqa: B008 - frozen
    payload_objects: Callable[[], PayloadObjects] | None = None,
    setup_ns: int = 0,
    clock: Callable[[], float] = time.time,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
    cpuinfo: Callable[[], str] = read_cpuinfo,
    machine: str | None = None,
) -> DataPlane:
    """Wire the parts together: no network, no model yet. `clock` gives seconds since the epoch.

    `cpuinfo` and `machine` say what processor this is: Linux's own words by default. `payload_objects` gives what
    reads and writes bodies by reference, and is called with the first of them; without it they are refused.
    """
    observer = Observer(
        namespace=settings.metrics_namespace,
        service=settings.service_name,
        function_version=settings.function_version,
        write=write,
        now=clock,
    )
    service = build_service(
        settings, reader, warn=observer.warn, clock=clock, clock_ns=clock_ns, cpuinfo=cpuinfo, machine=machine
    )
    return DataPlane(
        service,
        observer,
        Routes(areas_of(settings.v1_protocol)),
        edge=edge,
        payloads=None if payload_objects is None else cache(partial(_payloads, settings, payload_objects)),
        default_model=settings.default_model,
        shows_timing=settings.shows_timing,
        setup_ns=setup_ns,
        clock_ns=clock_ns,
    )


def build_service(
    settings: InferenceSettings,
    reader: ObjectReader,
    *,
    warn: Callable[[str], None],
    clock: Callable[[], float] = time.time,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
    cpuinfo: Callable[[], str] = read_cpuinfo,
    machine: str | None = None,
    before_sessions: Callable[[Sessions], Sessions] = lambda sessions: sessions,
) -> InferenceService:
    """Wire what computes: the store's reader, the sessions and the service over them.

    `before_sessions` may put something between the service and the sessions.
    """
    trust = _trust(settings.signed_by) if settings.signed_by else None
    variants = Variants(
        cpuinfo=cpuinfo, machine=machine or os.uname().machine, runtime=RUNTIME, threads=settings.threads
    )
    files = ModelFiles(reader, models_dir=settings.models_dir, tmp_dir=settings.tmp_dir, trust=trust)
    registry = RegistryReader(reader, admit=_admit(reader, trust) if trust else None)
    resolver = Resolver(
        registry,
        baked=files.baked_manifest,
        choose=variants.choose,
        alias_ttl_s=settings.alias_ttl_s,
        clock=clock,
        warn=warn,
    )
    open_session = partial(OnnxSession, threads=settings.threads)
    sessions = before_sessions(
        SessionCache(
            files=files,
            open_session=_warmed(open_session, registry, warn) if settings.warms_up else open_session,
            budget_bytes=settings.session_budget_bytes,
            clock_ns=clock_ns,
        )
    )
    return InferenceService(resolver=resolver, sessions=sessions, catalogue=registry, clock=clock, clock_ns=clock_ns)


def _payloads(settings: InferenceSettings, objects: Callable[[], PayloadObjects]) -> Payloads:
    from handlers.inference.payloads import build_payloads  # imported for who needs it alone

    return build_payloads(settings, objects(), limit_bytes=settings.payload_bytes)


def _warmed(open_session: OpenSession, registry: RegistryReader, warn: Callable[[str], None]) -> OpenSession:
    # Imported for stages that ask for it alone.
    from handlers.inference.warm_up import warmed

    return warmed(open_session, document=registry.document, warn=warn)


def _trust(public_keys: Sequence[PublicKey]) -> Trust:
    # Imported for stages that ask for signatures alone: `cryptography` is 10 ms, and in a layer of its own.
    from model_store.signing.verify import Trust

    return Trust(public_keys)


def _admit(reader: ObjectReader, trust: Trust) -> Callable[[bytes, str, int], object]:
    from model_store.signing.verify import check_signature

    return partial(check_signature, reader, trust=trust)
