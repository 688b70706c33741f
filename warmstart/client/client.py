"""The client: where values become requests, and what comes back answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from warmstart.client.answers import Answer, Json, Reply, RequestRefused, check, parse
from warmstart.client.metadata import Model, parse_model, reads_binary
from warmstart.client.retry import Retries, chance
from warmstart.client.values import holds_arrays, json_body
from warmstart.errors import InvalidSetting, InvalidValue, TensorError
from warmstart.refs import ModelRef

_JSON = {"content-type": "application/json", "accept": "application/json"}


class Client:
    """Calls an endpoint such as `https://{id}.execute-api.{region}.amazonaws.com/prod`. For any number of threads.

    `api_key` goes with every request; with `iam` each is signed with the caller's AWS credentials, by botocore.
    `timeout_s` bounds each wait for the endpoint, `attempts` and `total_timeout_s` a call with all that it repeats.

    Every method raises Unreachable if no answer came, RequestRefused if the answer is an error. A model's reference is
    text (`iris`, `iris:3`, `iris@canary`) or a ModelRef; InvalidReference if it is not well-formed.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        iam: bool = False,
        timeout_s: float = 60.0,
        total_timeout_s: float = 120.0,
        attempts: int = 4,
        sleep: Callable[[float], object] = time.sleep,
        rng: Callable[[], float] = chance,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises: Unreachable if `url` is none, or botocore is missing; InvalidSetting."""
        from warmstart.client.connection import Address, Connections  # HTTP and TLS: 15 ms for who makes a client

        address = Address.parse(url)
        self._url, self._base = url, address.base
        self._connections = Connections(address)
        self._headers = {} if api_key is None else {"x-api-key": _checked_key(api_key)}
        self._signer = None
        if iam:
            from warmstart.client.iam import Signer

            self._signer = Signer(address)
        self._timeout_s = _positive(timeout_s, "timeout_s")
        self._retries = Retries(attempts, _positive(total_timeout_s, "total_timeout_s"), sleep, rng, clock)
        self._models: dict[ModelRef, Model] = {}
        self._reads_binary: bool | None = None

    def predict(self, ref: ModelRef | str, records: Json) -> Answer:
        """Send one record or a list of them, a DataFrame, an array, or a mapping of arrays.

        Records (`{"age": 3, ...}`) and lists go to `/predict` as they are. Arrays become the model's inputs: a frame's
        columns by name, or side by side if the model takes one row of them; a lone array for the only input. They are
        cast to what the model's metadata declares, and sent as bytes where they are large and the endpoint reads that.
        Raises: MalformedBody for records that JSON cannot hold; TensorError for arrays that do not fit the model.
        """
        asked = _reference(ref)
        if holds_arrays(records):
            return self._predict_arrays(asked, records)
        return self._answer(self._call("POST", f"/predict/{quote(str(asked))}", json_body(records), _JSON))

    def infer(self, ref: ModelRef | str, request: Mapping[str, Json]) -> Answer:
        """Send an inference request of the Open Inference Protocol V2. Raises: MalformedBody."""
        return self._answer(self._call("POST", f"{_v2(_reference(ref))}/infer", json_body(request), _JSON))

    def metadata(self, ref: ModelRef | str) -> Answer:
        """Read a model's inputs and outputs."""
        return self._get(_v2(_reference(ref)))

    def close(self) -> None:
        """Close the kept connections; the next call opens another."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _predict_arrays(self, ref: ModelRef, values: Any) -> Answer:
        """Send arrays as the model was last described; described anew if that may be why they do not fit."""
        if (known := self._models.get(ref)) is not None:
            try:
                return self._infer_arrays(known, values)
            except TensorError:
                pass  # against a version that the reference may not mean any more
            except RequestRefused as error:
                if error.status != 400 or error.model_version in (None, known.version):
                    raise
        self._models[ref] = described = parse_model(ref, self.metadata(ref), self._url)
        return self._infer_arrays(described, values)

    def _infer_arrays(self, model: Model, values: Any) -> Answer:
        from warmstart.client import tensors  # numpy is there: the values are of it
        from warmstart.client.arrays import match

        inputs = match(values, model.inputs)
        if tensors.is_large(inputs) and self._takes_bytes():
            body = tensors.binary_request(inputs)
        else:
            try:
                body = tensors.json_request(inputs)
            except InvalidValue:  # JSON cannot hold what bytes can
                if not self._takes_bytes():
                    raise
                body = tensors.binary_request(inputs)
        reply = self._call("POST", f"{_v2(model.ref)}/infer", body.content, body.headers)
        return Answer(tensors.read_answer(reply, self._url), reply.model_version, reply.request_id)

    def _takes_bytes(self) -> bool:
        """Say whether the server reads binary tensors; it is asked once, by the first request that would have any."""
        if self._reads_binary is None:
            try:
                self._reads_binary = reads_binary(self._get("/v2"), self._url)
            except RequestRefused as error:
                if error.status >= 500:
                    raise
                self._reads_binary = False
        return self._reads_binary

    def _get(self, path: str) -> Answer:
        return self._answer(self._call("GET", path, None, {"accept": "application/json"}))

    def _answer(self, reply: Reply) -> Answer:
        return Answer(parse(reply.content, self._url), reply.model_version, reply.request_id)

    def _call(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send a request, again where that may help. Raises: Unreachable, RequestRefused."""
        path, unsigned = self._base + path, {**headers, **self._headers}

        def send(left_s: float) -> Reply:
            sent = self._signer.sign(method, path, unsigned, body) if self._signer else unsigned
            return self._connections.exchange(method, path, sent, body, timeout_s=min(self._timeout_s, left_s))

        return check(self._retries.run(send))


def _reference(ref: ModelRef | str) -> ModelRef:
    return ModelRef.parse(ref) if isinstance(ref, str) else ref


def _v2(ref: ModelRef) -> str:
    if ref.version is not None:
        return f"/v2/models/{ref.name}/versions/{ref.version}"
    return f"/v2/models/{quote(str(ref))}"


def _checked_key(key: str) -> str:
    if not key.isascii() or not key.isprintable():
        raise InvalidSetting("api_key: expected printable ASCII, got other characters, or a line's end", name="api_key")
    return key


def _positive(seconds: float, name: str) -> float:
    if not seconds > 0:
        raise InvalidSetting(f"{name}: expected seconds, more than 0; got {seconds}", name=name)
    return seconds
