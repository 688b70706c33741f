"""The one tree of errors. Nothing here knows HTTP; each edge maps classes to its own answers in one table.

WarmstartError
├── InvalidRequest            the caller's request cannot be understood
│   ├── InvalidReference      a model name, version or alias that is not well-formed
│   ├── MalformedBody         empty, not JSON, or JSON of another shape than the protocol's
│   ├── MissingTensor         an input that the signature declares did not come
│   ├── UnknownTensor         a tensor came, or was asked for, that the signature does not have
│   ├── WrongDatatype         a tensor of another datatype than declared
│   ├── WrongShape            a tensor of another shape than declared, or than its data has
│   ├── InvalidValue          a value that its datatype cannot hold
│   ├── MissingPrecondition   a change that does not say what it expects to find
│   ├── UnsupportedMediaType  a body in a format that this route does not read
│   ├── NotAcceptable         an answer in a format that this route does not write
│   ├── BodyTooLarge          a body above the platform's limit
│   ├── HeadTooLarge          headers above the server's limit
│   └── RequestTimeout        a request that did not arrive whole in time
├── NotFound
│   ├── RouteNotFound         no such path
│   ├── MethodNotAllowed      the path exists, not with this method
│   ├── ModelNotFound
│   ├── VersionNotFound
│   ├── AliasNotFound
│   └── ObjectNotFound        the store holds nothing under this key
├── Conflict
│   ├── AliasMoved            someone else moved the alias first: nothing was changed
│   ├── VersionClaimed        someone else claimed the version number first
│   └── PreconditionFailed    a conditional write found something else than expected
├── IntegrityError            what is stored is not what was published
│   ├── ArtifactMismatch      size or sha256 differs from the manifest
│   ├── InvalidManifest       not readable, or of an unknown major schema version
│   └── SignatureRefused      whoever reads it asks for a signature by a trusted key
│       ├── Unsigned          there is none
│       └── SignatureInvalid  by no trusted key, or of something else
├── ModelFailure              the model itself
│   ├── ModelNotLoadable      ONNX Runtime refuses the artifact
│   ├── InferenceFailed       the session raised while it ran
│   ├── UnrepresentableOutput an output holds a value that the protocol cannot carry (NaN in JSON)
│   ├── AnswerTooLarge        the answer is above the platform's limit
│   └── InsufficientMemory    the model does not fit the function's memory or disk
├── StoreError
│   ├── StoreUnavailable      not reachable, or answered with a fault; trying again may help
│   ├── StoreDenied           the credentials do not allow it
│   └── StoreFull             no room is left where the store keeps its files
├── Unavailable               the server does not take this request now
│   ├── Overloaded            as many requests wait as may wait
│   └── NotReady              it has not loaded its models yet, or is about to end
├── InvalidKey                a key to sign or to check with that cannot be read or used
├── InvalidSetting            a setting whose value is refused, by name
├── BuildError                a layer or an asset that cannot be built
├── UnsupportedModel          a source that cannot be published
│   └── Untrusted             a format that executes code when it is read, without leave to
├── InvalidSample             rows that cannot be read, or that do not fit the model
└── Unreachable               an endpoint or a tool that the command needs is not there
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from warmstart.refs import ModelRef


class WarmstartError(Exception):
    """Base of all. `code` is stable API; the message says what was expected, what came, and the remedy.

    `model` is the version that was asked, set on the way out by whoever knows it.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.model: ModelRef | None = None


class InvalidRequest(WarmstartError):
    """The caller's request cannot be understood."""

    code = "invalid_request"


class InvalidReference(InvalidRequest):
    """A model name, version or alias that is not well-formed."""

    code = "invalid_reference"


class MalformedBody(InvalidRequest):
    """A body that is empty, not JSON, or JSON of another shape than the protocol's."""

    code = "malformed_body"


class TensorError(InvalidRequest):
    """A tensor that does not fit the signature; `tensor` names it."""

    code = "invalid_tensor"

    def __init__(self, message: str, *, tensor: str) -> None:
        super().__init__(message)
        self.tensor = tensor


class MissingTensor(TensorError):
    """An input that the signature declares did not come."""

    code = "missing_tensor"


class UnknownTensor(TensorError):
    """A tensor came, or was asked for, that the signature does not have."""

    code = "unknown_tensor"


class WrongDatatype(TensorError):
    """A tensor of another datatype than declared."""

    code = "wrong_datatype"


class WrongShape(TensorError):
    """A tensor of another shape than declared, or than its data has."""

    code = "wrong_shape"


class InvalidValue(TensorError):
    """A value that its datatype cannot hold."""

    code = "invalid_value"


class MissingPrecondition(InvalidRequest):
    """A change that does not say what it expects to find, and so could overwrite another's."""

    code = "missing_precondition"


class UnsupportedMediaType(InvalidRequest):
    """A body in a format that this route does not read."""

    code = "unsupported_media_type"


class NotAcceptable(InvalidRequest):
    """An answer in a format that this route does not write."""

    code = "not_acceptable"


class BodyTooLarge(InvalidRequest):
    """A body above the platform's limit."""

    code = "body_too_large"


class HeadTooLarge(InvalidRequest):
    """A request line and headers above the server's limit."""

    code = "head_too_large"


class RequestTimeout(InvalidRequest):
    """A request that did not arrive whole in time."""

    code = "request_timeout"


class NotFound(WarmstartError):
    """What was named does not exist."""

    code = "not_found"


class RouteNotFound(NotFound):
    """No such path."""

    code = "route_not_found"


class MethodNotAllowed(NotFound):
    """The path exists, not with this method; `allowed` lists those it has."""

    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class ModelNotFound(NotFound):
    """No model of this name has been published."""

    code = "model_not_found"


class VersionNotFound(NotFound):
    """The model has no such version."""

    code = "version_not_found"


class AliasNotFound(NotFound):
    """The model has no such alias."""

    code = "alias_not_found"


class ObjectNotFound(NotFound):
    """The store holds nothing under this key."""

    code = "object_not_found"


class Conflict(WarmstartError):
    """Somebody else was first: nothing was changed."""

    code = "conflict"


class AliasMoved(Conflict):
    """The alias is not where the caller last saw it."""

    code = "alias_moved"


class VersionClaimed(Conflict):
    """The version number belongs to another publisher."""

    code = "version_claimed"


class PreconditionFailed(Conflict):
    """A conditional write found something else than expected."""

    code = "precondition_failed"


class IntegrityError(WarmstartError):
    """What is stored is not what was published."""

    code = "integrity"


class ArtifactMismatch(IntegrityError):
    """Size or sha256 of an artifact differs from the manifest."""

    code = "artifact_mismatch"


class InvalidManifest(IntegrityError):
    """A manifest that is not readable, or of an unknown major schema version."""

    code = "invalid_manifest"


class SignatureRefused(IntegrityError):
    """Whoever reads a version asks for a signature by a trusted key."""

    code = "signature_refused"


class Unsigned(SignatureRefused):
    """A version that nobody signed."""

    code = "unsigned"


class SignatureInvalid(SignatureRefused):
    """A signature by no trusted key, or of something else than what is stored."""

    code = "signature_invalid"


class ModelFailure(WarmstartError):
    """The model itself fails."""

    code = "model_failure"


class ModelNotLoadable(ModelFailure):
    """ONNX Runtime refuses the artifact."""

    code = "model_not_loadable"


class InferenceFailed(ModelFailure):
    """The session raised while it ran."""

    code = "inference_failed"


class UnrepresentableOutput(ModelFailure):
    """An output holds a value that the protocol cannot carry."""

    code = "unrepresentable_output"


class AnswerTooLarge(ModelFailure):
    """The answer is above the platform's limit."""

    code = "answer_too_large"


class InsufficientMemory(ModelFailure):
    """The model does not fit the function's memory or disk."""

    code = "insufficient_memory"


class StoreError(WarmstartError):
    """The store did not do what was asked."""

    code = "store"


class StoreUnavailable(StoreError):
    """The store is not reachable, or answered with a fault; trying again may help."""

    code = "store_unavailable"


class StoreDenied(StoreError):
    """The credentials do not allow it."""

    code = "store_denied"


class Unavailable(WarmstartError):
    """The server does not take this request now; trying again, or asking another one, may help."""

    code = "unavailable"


class Overloaded(Unavailable):
    """As many requests are computed and wait as may."""

    code = "overloaded"


class NotReady(Unavailable):
    """The server has not loaded its models yet, or is about to end."""

    code = "not_ready"


class InvalidKey(WarmstartError):
    """A key to sign or to check with that cannot be read, or that its owner does not let us use."""

    code = "invalid_key"


class StoreFull(StoreError):
    """No room is left where the store keeps its files: nothing that readers see was changed."""

    code = "store_full"


class InvalidSetting(WarmstartError):
    """A setting whose value is refused; `name` is the setting's."""

    code = "invalid_setting"

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class BuildError(WarmstartError):
    """A layer or an asset that cannot be built."""

    code = "build"


class UnsupportedModel(WarmstartError):
    """A source that cannot be published."""

    code = "unsupported_model"


class Untrusted(UnsupportedModel):
    """A format that executes code when it is read, and nobody said that its source is trusted."""

    code = "untrusted"


class InvalidSample(WarmstartError):
    """Rows that cannot be read, or that do not fit the model."""

    code = "invalid_sample"


class Unreachable(WarmstartError):
    """An endpoint or a tool that the command needs is not there."""

    code = "unreachable"
