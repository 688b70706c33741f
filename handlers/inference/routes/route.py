"""What a route is: a protocol, an operation, the model it is asked of, and the act that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol, TypeAlias

from warmstart.protocols.wire import Model, Read, Rendered, RenderError, Request
from warmstart.refs import ModelRef, parse_version


class Operation(Enum):
    """What a route does; the value is its name in the log."""

    INFER = "infer"
    SERVER = "server_metadata"
    LIVE = "server_live"
    READY = "server_ready"
    MODEL = "model_metadata"
    MODEL_READY = "model_ready"
    DOCS = "docs"
    INDEX = "repository_index"
    STATISTICS = "statistics"


class Infer(NamedTuple):
    """Compute. Where the path names no model, `choose` may find it in the request; else it is the stage's default.

    `refine` may say another one than was found so far, or another alias of it (None: the stage has no default).
    """

    read: Read
    choose: Callable[[Request], ModelRef | None] | None = None
    refine: Callable[[Request, ModelRef | None], ModelRef | None] | None = None


class Describe(NamedTuple):
    """Find a version and write what it is."""

    render: Callable[[Model], Rendered]


class Versions(NamedTuple):
    """Find a version and all others of its model, and write which there are: first the one that was found."""

    render: Callable[[Sequence[int]], Rendered]


class Document(NamedTuple):
    """Find a version, and a document that lies in it (None if none does), and write what is made of both."""

    path: str
    render: Callable[[Model, bytes | None], Rendered]


class Load(NamedTuple):
    """Have a version open, and say so."""

    render: Callable[[Model], Rendered]


class Listing(NamedTuple):
    """Write every version that the store holds. `check` reads the request, if it says anything."""

    render: Callable[[Sequence[ModelRef]], Rendered]
    check: Callable[[Request], object] | None = None


class Fixed(NamedTuple):
    """Say the same to everybody, without the store."""

    rendered: Rendered


class Report(NamedTuple):
    """Write what was counted in this process: of one version, or of all (no model in the path)."""


Inquiry: TypeAlias = Describe | Versions | Document | Load | Listing | Fixed | Report
Act: TypeAlias = Infer | Inquiry


class Match(NamedTuple):
    """What a protocol makes of a path: the method that it takes, or others that mean the same, and what is done."""

    method: str
    operation: Operation
    act: Act
    ref: ModelRef | None = None
    also: tuple[str, ...] = ()
    render_error: RenderError | None = None
    """Where an error's words name what was asked; None: as the area writes errors."""


class Area(Protocol):
    """A protocol's routes: a module in this folder."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a module's constant
        """The protocol, as the log has it."""
        ...

    def find(self, segments: Sequence[str]) -> Match | None:
        """Match a path, split at its slashes; None if it is no route of this protocol. Raises: InvalidReference."""
        ...

    def render_error(self, status: int, code: str, message: str, /) -> Rendered:
        """Write an error in the protocol's shape."""
        ...


class Route(NamedTuple):
    """A matched request."""

    protocol: str
    operation: Operation
    act: Act
    ref: ModelRef | None
    render_error: RenderError


Loaders: TypeAlias = Mapping[str, Callable[[], Area]]
"""By a path's first segment."""


def reference(model: str, version: str | None = None) -> ModelRef:
    """Read the model that a path names. Raises: InvalidReference."""
    if version is None:
        return ModelRef.parse(decoded(model))
    return ModelRef.at(decoded(model), parse_version(version))


def decoded(segment: str) -> str:
    """Take the percent-encoding off a segment."""
    if "%" not in segment:
        return segment
    from urllib.parse import unquote  # rare, and 2 ms of a cold start

    return unquote(segment)
