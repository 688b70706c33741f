"""One call, from a message to a message: counted and logged as an HTTP request is, its errors told in gRPC's way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, assert_never

import grpc
from google.protobuf.message import DecodeError, Message

from handlers.inference.answers import INTERNAL, Answer
from handlers.inference.answers import status_of as http_status_of
from handlers.inference.observability import Invocation
from handlers.inference.routes.route import Operation
from handlers.server.grpc.statuses import status_of
from warmstart.errors import MalformedBody, WarmstartError

if TYPE_CHECKING:
    from handlers.inference.service import Call, InferenceService
    from handlers.inference.sessions import Ran
    from warmstart.refs import ModelRef

REQUEST_ID: Final = "x-request-id"
MODEL_VERSION: Final = "x-model-version"
ERROR_CODE: Final = "x-error-code"
"""Trailing metadata: under which id a call is logged, which version answered, and an error's stable code."""
_LONGEST_ID: Final = 200
_LONGEST_TEXT: Final = 600
"""Characters: up to four bytes each, each of which may be percent-encoded."""


class Told(NamedTuple):
    """What a method answers, and what the log should know of how it came about."""

    message: Message
    model: ModelRef | None = None
    ran: Ran | None = None


class Infer(NamedTuple):
    """Compute. `read` finds the model and the inference in a message. Raises: InvalidRequest."""

    read: Callable[[Any], tuple[ModelRef, Call[Message]]]


class Tell(NamedTuple):
    """Answer from what the service knows."""

    perform: Callable[[InferenceService, Any], Told]


class Method(NamedTuple):
    """One method of a protocol. `request` is its message's class."""

    operation: Operation
    request: type[Message]
    act: Infer | Tell


class Speech(NamedTuple):
    """A protocol: the name of its service on the wire, its own name in the log, its methods by name."""

    service: str
    protocol: str
    methods: Mapping[str, Method]


class Spoken(NamedTuple):
    """What was asked, and in which protocol."""

    protocol: str
    operation: Operation


Note: TypeAlias = Callable[[Invocation, Answer], object]
"""Log a call; `handlers.inference.observability.Observer.note` is one."""


class Calls:
    """Answers calls. `clock_ns` gives monotonic nanoseconds; `new_id` an id for a call whose client gave it none."""

    def __init__(
        self, service: InferenceService, *, note: Note, clock_ns: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        self._service, self._note, self._clock_ns, self._new_id = service, note, clock_ns, new_id

    def behaviour(self, spoken: Spoken, method: Method) -> Callable[[bytes, grpc.ServicerContext], Message]:
        """Return the function that answers one method's calls, on a thread of its own each."""

        def answer(content: bytes, context: grpc.ServicerContext) -> Message:
            _refuse_late(context)
            started_ns = self._clock_ns()
            request_id = self._id_of(context)
            failure: Exception | None = None
            try:
                told = self._perform(method.act, _parsed(method.request, content), started_ns)
                found = Answer(200, b"", model=told.model, ran=told.ran)
            except WarmstartError as error:
                found = _failed(error)
            except Exception as error:  # noqa: BLE001 - the one boundary: logged with its trace, told without detail
                failure = error
                found = _failed(WarmstartError(INTERNAL))
            elapsed_ns = self._clock_ns() - started_ns
            if found.error is not None and found.model is not None:
                self._service.tally.failed(found.model, elapsed_ns)
            self._note(Invocation(spoken, request_id, None, None, elapsed_ns, failure), found)
            context.set_trailing_metadata(_metadata(found, request_id))
            if found.error is not None:
                status = status_of(found.error)
                context.abort(status, _text(INTERNAL if status is grpc.StatusCode.INTERNAL else found.error.message))
            return told.message

        return answer

    def _perform(self, act: Infer | Tell, request: Any, started_ns: int) -> Told:
        match act:
            case Infer():
                ref, asked = act.read(request)
                message, model, ran, *_ = self._service.infer(ref, asked, started_ns)
                return Told(message, model, ran)
            case Tell():
                return act.perform(self._service, request)
        assert_never(act)

    def _id_of(self, context: grpc.ServicerContext) -> str:
        for key, value in context.invocation_metadata():
            if key == REQUEST_ID and isinstance(value, str) and 0 < len(value) <= _LONGEST_ID:
                return value
        return self._new_id()


def _parsed(kind: type[Message], content: bytes) -> Message:
    """Read a message; what is none is its client's mistake, which gRPC itself would call ours."""
    try:
        return kind.FromString(content)
    except DecodeError:
        raise MalformedBody(f"message: expected {kind.__name__}, got {len(content)} bytes that are none") from None


def _failed(error: WarmstartError) -> Answer:
    return Answer(http_status_of(error), b"", model=error.model, error=error)


def _text(message: str) -> str:
    """Shorten what quotes a long name: it travels in a header, and clients take 8 KiB of those."""
    return message if len(message) <= _LONGEST_TEXT else f"{message[:_LONGEST_TEXT]}..."


def _refuse_late(context: grpc.ServicerContext) -> None:
    """End a call whose client has stopped waiting while it stood in the queue: nothing is computed for nobody."""
    left_s = context.time_remaining()
    if not context.is_active() or (left_s is not None and left_s <= 0):
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "deadline: passed before this call's turn came")


def _metadata(found: Answer, request_id: str) -> tuple[tuple[str, str], ...]:
    metadata = [(REQUEST_ID, request_id)]
    if found.model is not None:
        metadata.append((MODEL_VERSION, str(found.model.version)))
    if found.error is not None:
        metadata.append((ERROR_CODE, found.error.code))
    return tuple(metadata)
