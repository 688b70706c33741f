"""The data plane put together: event in, answer out, one line written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from handlers.inference.answers import INTERNAL, Answer, check_size, refuse, to_gateway
from handlers.inference.artifacts import ModelFiles
from handlers.inference.events import Request, check_json, parse_event
from handlers.inference.observability import Invocation, Observer
from handlers.inference.onnx_session import RUNTIME, OnnxSession
from handlers.inference.resolver import Resolver
from handlers.inference.routes import Operation, Route, find_route, speaks_records
from handlers.inference.service import InferenceResult, InferenceService
from handlers.inference.sessions import SessionCache
from handlers.inference.variants import Variants, read_cpuinfo
from model_store.registry_reader import RegistryReader
from warmstart.errors import WarmstartError
from warmstart.protocols import oip, records
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from handlers.inference.preload import Preloading
    from handlers.inference.settings import InferenceSettings
    from model_store.objects import ObjectReader
    from model_store.signing.public_key import PublicKey
    from model_store.signing.verify import Trust
    from warmstart.tensors import Signature, Tensor


class DataPlane:
    """Answers API Gateway's proxy events. `setup_ns` is what the function's import took."""

    def __init__(
        self, service: InferenceService, observer: Observer, *, setup_ns: int, clock_ns: Callable[[], int]
    ) -> None:
        self._service, self._observer, self._clock_ns = service, observer, clock_ns
        self._setup_ns: int | None = setup_ns

    def finish(self, preloading: Preloading) -> None:
        """Open the models that were fetched beside the imports: it counts as setting up."""
        started = self._clock_ns()
        preloading.finish(self._service.ready, self._observer.warn)
        self._setup_ns = (self._setup_ns or 0) + self._clock_ns() - started

    def answer(self, event: Mapping[str, Any], request_id: str, trace_id: str | None = None) -> dict[str, Any]:
        """Answer one event; nothing is raised."""
        started = self._clock_ns()
        request: Request | None = None
        route: Route | None = None
        failure: Exception | None = None
        try:
            request = parse_event(event)
            route = find_route(request.method, request.path)
            answer = self._perform(route, request)
        except WarmstartError as error:
            answer = refuse(error, as_records=request is not None and speaks_records(request.path))
        except Exception as error:  # noqa: BLE001 - the one boundary: logged with its trace, answered without detail
            failure = error
            answer = refuse(WarmstartError(INTERNAL), as_records=request is not None and speaks_records(request.path))
        operation = route.operation if route is not None else None
        elapsed_ns = self._clock_ns() - started
        setup_ns, self._setup_ns = self._setup_ns, None
        self._observer.note(Invocation(operation, request_id, trace_id, setup_ns, elapsed_ns, failure), answer)
        return to_gateway(answer, request_id)

    def _perform(self, route: Route, request: Request) -> Answer:
        operation, ref = route
        if ref is None:
            return Answer(200, _SERVER[operation])
        if operation is Operation.INFER:
            return self._infer(ref, request)
        if operation is Operation.PREDICT:
            return self._predict(ref, request)
        if operation is Operation.MODEL:
            manifest = self._service.describe(ref)
            body = oip.render_metadata(manifest.name, manifest.version, manifest.signature)
        else:
            manifest = self._service.ready(ref)
            body = oip.render_model_ready(manifest.name)
        return Answer(200, body, model=ModelRef(manifest.name, manifest.version, None))

    def _infer(self, ref: ModelRef, request: Request) -> Answer:
        check_json(request.content_type)
        asked = oip.parse_infer(request.body)
        result = self._service.infer(ref, lambda _: asked.inputs, asked.outputs)
        return _rendered(
            result, lambda: oip.render_infer(result.manifest.name, result.manifest.version, asked.id, result.outputs)
        )

    def _predict(self, ref: ModelRef, request: Request) -> Answer:
        check_json(request.content_type)
        asked = records.parse_records(request.body)

        def read(signature: Signature) -> Mapping[str, Tensor]:
            return records.tensors(asked, signature.inputs)

        result = self._service.infer(ref, read)
        count, labels = len(asked.rows), result.manifest.labels
        return _rendered(
            result,
            lambda: records.render_predictions(
                result.manifest.name, result.manifest.version, result.outputs, count=count, labels=labels
            ),
        )


def _rendered(result: InferenceResult, render: Callable[[], bytes]) -> Answer:
    try:
        body = check_size(render())
    except WarmstartError as error:
        error.model = result.model
        raise
    return Answer(200, body, model=result.model, ran=result.ran)


_SERVER: Mapping[Operation, bytes] = {
    Operation.SERVER: oip.SERVER,
    Operation.LIVE: oip.LIVE,
    Operation.READY: oip.READY,
}


def build_data_plane(
    settings: InferenceSettings,
    reader: ObjectReader,
    *,
    write: Callable[[bytes], object],
    setup_ns: int = 0,
    clock: Callable[[], float] = time.time,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
    cpuinfo: Callable[[], str] = read_cpuinfo,
    machine: str | None = None,
) -> DataPlane:
    """Wire the parts together: no network, no model yet. `clock` gives seconds since the epoch.

    `cpuinfo` and `machine` say what processor this is: Linux's own words by default.
    """
    observer = Observer(
        namespace=settings.metrics_namespace,
        service=settings.service_name,
        function_version=settings.function_version,
        write=write,
        now=clock,
    )
    trust = _trust(settings.signed_by) if settings.signed_by else None
    files = ModelFiles(reader, models_dir=settings.models_dir, tmp_dir=settings.tmp_dir, trust=trust)
    resolver = Resolver(
        RegistryReader(reader, admit=_admit(reader, trust) if trust else None),
        baked=files.baked_manifest,
        choose=Variants(cpuinfo=cpuinfo, machine=machine or os.uname().machine, runtime=RUNTIME).choose,
        alias_ttl_s=settings.alias_ttl_s,
        clock=clock,
        warn=observer.warn,
    )
    sessions = SessionCache(
        files=files,
        open_session=partial(OnnxSession, threads=settings.threads),
        budget_bytes=settings.session_budget_bytes,
        clock_ns=clock_ns,
    )
    service = InferenceService(resolver=resolver, sessions=sessions)
    return DataPlane(service, observer, setup_ns=setup_ns, clock_ns=clock_ns)


def _trust(public_keys: Sequence[PublicKey]) -> Trust:
    # Imported for stages that ask for signatures alone: `cryptography` is 10 ms, and in a layer of its own.
    from model_store.signing.verify import Trust

    return Trust(public_keys)


def _admit(reader: ObjectReader, trust: Trust) -> Callable[[bytes, str, int], object]:
    from model_store.signing.verify import check_signature

    return partial(check_signature, reader, trust=trust)
