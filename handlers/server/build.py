"""The server put together: the data plane of the Lambda function, with a server's edge around it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from handlers.inference.data_plane import DataPlane, Edge, build_service
from handlers.inference.observability import Invocation, Observer
from handlers.inference.routes.table import Routes, areas_of
from handlers.server.batching import BatchingSessions
from handlers.server.connection import Limits
from handlers.server.log import ErrorsOnly, WarningsOnly
from handlers.server.machine import give_back
from handlers.server.server import Beside, Server, State, Terms
from warmstart.limits import MIB
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from handlers.inference.answers import Answer
    from handlers.inference.payloads import Payloads
    from handlers.inference.service import InferenceService, Sessions
    from handlers.inference.settings import InferenceSettings
    from handlers.server.settings import ServerSettings
    from model_store.objects import ObjectReader
    from model_store.payload_objects import PayloadObjects

OBSERVERS: Final = {"all": Observer, "errors": ErrorsOnly, "none": WarningsOnly}


def write_line(line: bytes) -> None:
    """Write to standard output: one system call per line, so that lines of two threads do not mix."""
    while line:
        line = line[os.write(1, line) :]


def build_server(
    settings: ServerSettings,
    reader: ObjectReader,
    *,
    payload_objects: Callable[[], PayloadObjects],
    announce: Callable[[int], object],
    announce_grpc: Callable[[int], object] = lambda _port: None,
    write: Callable[[bytes], object] = write_line,
) -> Server:
    """Wire the parts together: no network, no model yet.

    `payload_objects` gives what reads and writes bodies by reference, and is called with the first of them.
    """
    inference = settings.inference
    state = State()
    observer = OBSERVERS[settings.log](
        namespace=inference.metrics_namespace,
        service=inference.service_name,
        function_version=inference.function_version,
        write=write,
        now=time.time,
    )
    service = _service(settings, reader, observer)
    limit_bytes = settings.max_body_mb * MIB
    plane = DataPlane(
        service,
        observer,
        Routes(areas_of(inference.v1_protocol)),
        edge=Edge(decoded_bytes=limit_bytes, check_answer=lambda _body, _media_type: None),
        default_model=inference.default_model,
        shows_timing=inference.shows_timing,
        setup_ns=0,
        clock_ns=time.perf_counter_ns,
        is_ready=lambda: state.is_ready,
        payloads=cache(partial(_payloads, inference, payload_objects, limit_bytes)),
    )
    terms = Terms(
        host=settings.host,
        port=settings.port,
        threads=settings.concurrency,
        queue=settings.queue,
        busy_poll_s=settings.busy_poll_us / 1e6,
        drain_s=settings.drain_s,
        batched=frozenset(settings.batching),
        aliases=settings.aliases,
        limits=Limits(body_bytes=limit_bytes),
    )
    return Server(
        plane,
        terms,
        state,
        models=settings.preload,
        load=lambda model: service.ready(ModelRef.parse(model)),
        announce=announce,
        warn=observer.warn,
        seed=os.urandom(6).hex(),
        begin_beside=_grpc(settings, service, observer, state, announce_grpc),
    )


def _grpc(
    settings: ServerSettings,
    service: InferenceService,
    observer: Observer,
    state: State,
    announce: Callable[[int], object],
) -> Callable[[], Beside] | None:
    """Return what begins to serve gRPC, for who asks for it: its library is imported then."""
    if (port := settings.grpc_port) is None:
        return None

    def note(invocation: Invocation, answer: Answer) -> None:
        observer.note(invocation, answer)
        if answer.ran is not None and answer.ran.opened is not None:
            give_back()

    def begin() -> Beside:
        from handlers.server.grpc.server import start_grpc

        server = start_grpc(
            service,
            port=port,
            host=settings.host,
            max_workers=settings.concurrency,
            max_queued=max(settings.queue - settings.concurrency, 0),
            max_message_bytes=settings.max_body_mb * MIB,
            note=note,
            is_ready=lambda: state.is_ready,
        )
        announce(server.port)
        return server

    return begin


def _payloads(settings: InferenceSettings, objects: Callable[[], PayloadObjects], limit_bytes: int) -> Payloads:
    from handlers.inference.payloads import build_payloads  # imported for who needs it alone

    return build_payloads(settings, objects(), limit_bytes=limit_bytes)


def _service(settings: ServerSettings, reader: ObjectReader, observer: Observer) -> InferenceService:
    def batching(sessions: Sessions) -> Sessions:
        return BatchingSessions(sessions, settings.batching) if settings.batching else sessions

    return build_service(settings.inference, reader, warn=observer.warn, before_sessions=batching)
