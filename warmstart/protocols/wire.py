"""What every protocol is written against: a request as it came, the model that is asked, and what is sent back.

A protocol is a module beside this one. It reads a request into a `Call`, which becomes tensors once the model is
known and bytes once it has answered, and it has a form of its own for errors. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from warmstart.tensors import Signature, Tensor, TensorSpec

JSON: Final = "application/json"
OCTETS: Final = "application/octet-stream"
TEXT: Final = "text/plain; charset=utf-8"

INPUT_LOCATION: Final = "x-warmstart-input-location"
"""A request's header: where on S3 its body is, if it is not in the request."""
OUTPUT_LOCATION: Final = "x-warmstart-output-location"
"""A request's header: where on S3 the answer's body is to be put."""

NOTHING: Final[Mapping[str, str]] = {}

quick: Final = tuple.__new__
"""`quick(Rendered, (body, JSON, ()))`: a named tuple's own constructor is Python, at five times the price."""


class Request(NamedTuple):
    """One HTTP request. `path` is percent-encoded and without a base path; the names of headers are in lower case.

    `body` is as it was before any content coding.
    """

    method: str
    path: str
    headers: Mapping[str, str] = NOTHING
    body: bytes = b""
    query: Mapping[str, str] = NOTHING

    @property
    def content_type(self) -> str:
        """The header, "" if there is none."""
        return self.headers.get("content-type", "")


class Rendered(NamedTuple):
    """A body to send, and the headers that say how to read it (names in lower case)."""

    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Model(Protocol):
    """What a protocol has to know of the version that answers; `model_store.manifest.Manifest` is one."""

    @property
    def name(self) -> str:
        """Its name in the store."""
        ...

    @property
    def version(self) -> int:
        """1, 2, 3, ..."""
        ...

    @property
    def signature(self) -> Signature:
        """Inputs and outputs."""
        ...

    @property
    def labels(self) -> tuple[str | int, ...]:
        """Class labels, in the order of score columns; empty if it has none."""
        ...


Outputs: TypeAlias = "Sequence[tuple[TensorSpec, Tensor]]"
"""What a model computed, in the order asked for."""


class Asked(Protocol):
    """One inference, as a client asked for it: all that computing it needs."""

    def outputs(self, model: Model) -> tuple[str, ...]:
        """Name the outputs to compute; none means all of them."""
        ...

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Read the request's inputs. Raises: InvalidRequest and what is below it."""
        ...


class Call(Asked, Protocol):
    """An inference that is answered by a body."""

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the answer. Raises: UnrepresentableOutput, NotAcceptable."""
        ...


Read: TypeAlias = Callable[[Request], Call]
"""Read a request, as far as it can be read without its model. Raises: InvalidRequest and what is below it."""

RenderError: TypeAlias = Callable[[int, str, str], Rendered]
"""Write an error in a protocol's own shape: HTTP status, stable code, message."""
