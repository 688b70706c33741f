"""Inference on values: references and tensors in, tensors out. No HTTP, no store, no ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeVar

from handlers.inference.statistics import Tally
from warmstart.errors import StoreError, UnknownTensor, WarmstartError
from warmstart.protocols.wire import Asked
from warmstart.refs import ModelRef
from warmstart.tensors import TensorSpec, check, listed

if TYPE_CHECKING:
    from handlers.inference.sessions import Opening, Ran
    from model_store.manifest import Manifest
    from warmstart.protocols.wire import Outputs
    from warmstart.tensors import Tensor


Written = TypeVar("Written")
Written_co = TypeVar("Written_co", covariant=True)
"""What a protocol writes: a body with its media type, or a message."""


class Resolver(Protocol):
    """Finds manifests; `handlers.inference.resolver.Resolver` is one."""

    def resolve(self, ref: ModelRef) -> Manifest:
        """Find a reference's manifest."""
        ...

    def step_back(self, ref: ModelRef, manifest: Manifest) -> Manifest | None:
        """Return to the version before this one, if there is one to return to: `resolve` finds that one then."""
        ...

    def known(self, ref: ModelRef) -> Manifest | None:
        """Return a reference's manifest if it is known without asking the store."""
        ...


class Sessions(Protocol):
    """Runs models; `handlers.inference.sessions.SessionCache` is one."""

    def run(self, manifest: Manifest, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> Ran:
        """Compute outputs; none means all of them."""
        ...

    def load(self, manifest: Manifest) -> Opening | None:
        """Have a model open."""
        ...

    def is_open(self, manifest: Manifest) -> bool:
        """Say whether it is open already."""
        ...


class Catalogue(Protocol):
    """Knows what has been published; `model_store.registry_reader.RegistryReader` is one."""

    def published(self) -> Sequence[ModelRef]:
        """List every version of every model."""
        ...

    def versions(self, name: str) -> Sequence[int]:
        """List every version of a model."""
        ...

    def document(self, manifest: Manifest, path: str) -> bytes | None:
        """Read a document of a version, None if it has none."""
        ...


class Call(Asked, Protocol[Written_co]):
    """One inference, and how it is answered."""

    def render(self, model: Manifest, outputs: Outputs) -> Written_co:
        """Write the answer. Raises: InvalidRequest, UnrepresentableOutput, NotAcceptable."""
        ...


class InferenceService:
    """What the data plane does. Every error that comes out after a model was resolved says which: `error.model`."""

    def __init__(
        self,
        *,
        resolver: Resolver,
        sessions: Sessions,
        catalogue: Catalogue,
        clock: Callable[[], float],
        clock_ns: Callable[[], int],
    ) -> None:
        """Put together; `clock` gives seconds since the epoch, `clock_ns` monotonic nanoseconds."""
        self._resolver, self._sessions, self._catalogue = resolver, sessions, catalogue
        self._clock_ns = clock_ns
        self.tally = Tally(clock)
        """What was done since this process began."""

    def published(self) -> Sequence[ModelRef]:
        """List every version of every model. Raises: StoreError."""
        return self._catalogue.published()

    def describe(self, ref: ModelRef) -> Manifest:
        """Find what a reference means. Raises: NotFound, IntegrityError, StoreError."""
        return self._resolver.resolve(ref)

    def versions(self, ref: ModelRef) -> Sequence[int]:
        """List the version that a reference means, then all others of its model, the newest first.

        It alone while the store does not answer: a model that is known still does. Raises: as `describe`.
        """
        manifest = self._resolver.resolve(ref)
        try:
            found = self._catalogue.versions(manifest.name)
        except StoreError:
            found = ()
        return manifest.version, *(version for version in sorted(found, reverse=True) if version != manifest.version)

    def is_warm(self, ref: ModelRef) -> bool:
        """Say whether an inference would wait for neither the store nor the opening of a session."""
        manifest = self._resolver.known(ref)
        return manifest is not None and self._sessions.is_open(manifest)

    def document(self, ref: ModelRef, path: str) -> tuple[Manifest, bytes | None]:
        """Find what a reference means, and a document in it, None if it has none.

        Raises: NotFound, IntegrityError, StoreError.
        """
        manifest = self._resolver.resolve(ref)
        return manifest, self._catalogue.document(manifest, path)

    def ready(self, ref: ModelRef) -> Manifest:
        """Have a model open, so that it is ready indeed. Raises: NotFound, IntegrityError, StoreError, ModelFailure."""
        manifest = self._resolver.resolve(ref)
        try:
            return self._load(manifest)
        except StoreError:
            if (previous := self._resolver.step_back(ref, manifest)) is None:
                raise
        return self._load(previous)

    def infer(
        self, ref: ModelRef, call: Call[Written], started_ns: int
    ) -> tuple[Written, ModelRef, Ran, int, int, int]:
        """Compute what is asked for, write the answer, and count it; reading the request began at `started_ns`.

        Returns what was written, the version that answered, how it ran, and how long it took, in nanoseconds, to find
        the version, to read the request, and to write.
        Raises: InvalidRequest, NotFound, IntegrityError, StoreError, ModelFailure; what `render` raises.
        """
        clock_ns = self._clock_ns
        began_ns = clock_ns()
        manifest = self._resolver.resolve(ref)
        resolve_ns = clock_ns() - began_ns
        model = _version(manifest.name, manifest.version)
        try:
            declared, specs = manifest.signature
            inputs = call.tensors(manifest)
            check(inputs, declared)
            if names := call.outputs(manifest):
                specs = _select(names, specs)
            ran = self._sessions.run(manifest, names, inputs)
            computed_ns = clock_ns()
            written = call.render(manifest, [*zip(specs, ran.outputs, strict=True)])
        except WarmstartError as error:
            # A version that was just promoted cannot be fetched: the one before is still warm.
            if isinstance(error, StoreError) and self._resolver.step_back(ref, manifest) is not None:
                return self.infer(ref, call, started_ns)
            error.model = model
            raise
        render_ns = clock_ns() - computed_ns
        run_ns, opened = ran.run_ns, ran.opened
        parse_ns = computed_ns - started_ns - resolve_ns - run_ns
        if opened is not None:
            parse_ns -= opened.downloading_ns + opened.loading_ns
        # The size of the batch: of the first input's first dimension, 1 where there is none.
        rows = shape[0] if declared and (shape := inputs[declared[0].name].shape) else 1
        self.tally.succeeded(model, rows, parse_ns, run_ns, render_ns)
        return written, model, ran, resolve_ns, parse_ns, render_ns

    def _load(self, manifest: Manifest) -> Manifest:
        try:
            self._sessions.load(manifest)
        except WarmstartError as error:
            error.model = named(manifest)
            raise
        return manifest


def named(manifest: Manifest) -> ModelRef:
    """Return the reference of exactly this version."""
    return _version(manifest.name, manifest.version)


@lru_cache(maxsize=1024)
def _version(name: str, version: int) -> ModelRef:
    return ModelRef(name, version, None)


def _select(names: tuple[str, ...], declared: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    specs = {spec.name: spec for spec in declared}
    for name in names:
        if name not in specs:
            raise UnknownTensor(f"output {name!r}: the model has no such output (it has: {listed(specs)})", tensor=name)
    return tuple(specs[name] for name in names)
