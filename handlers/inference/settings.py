"""The inference function's settings: one frozen value, read once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from model_store.sigv4 import Credentials
from warmstart import environment, limits
from warmstart.errors import InvalidKey, InvalidReference, InvalidSetting
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from model_store.payload_locations import Prefix
    from model_store.signing.public_key import PublicKey


V1_PROTOCOLS: Final = ("tensorflow", "kserve")
"""Whose protocol the paths below /v1/models may speak; the first is the default."""


class CredentialsAddress(NamedTuple):
    """Where the role's credentials are asked for: Lambda has no others for a function that starts from a snapshot."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"CredentialsAddress({self.url!r})"  # the token is a secret


class InferenceSettings(NamedTuple):
    """What the stack decided. Sizes in MB of 2^20 bytes, as Lambda counts memory."""

    store_bucket: str
    region: str
    store_endpoint: str | None
    credentials: Credentials | CredentialsAddress
    alias_ttl_s: float
    models_dir: Path
    tmp_dir: Path
    memory_mb: int
    metrics_namespace: str
    service_name: str
    function_version: str
    default_model: ModelRef | None = None
    v1_protocol: str = "tensorflow"
    shows_timing: bool = False
    preload: tuple[ModelRef, ...] = ()
    """Models to open in the init phase."""
    payload_locations: tuple[Prefix, ...] = ()
    """Where bodies by reference may lie."""
    warms_up: bool = False
    signed_by: tuple[PublicKey, ...] = ()
    """If there is one, a version has to be signed by it or another of them."""
    processors: int | None = None
    """Outside Lambda, where it is not the memory that decides them."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> InferenceSettings:
        """Read the environment. Raises: InvalidSetting, with the variable and its value."""
        default = env.get(environment.DEFAULT_MODEL)
        return cls(
            store_bucket=_required(env, environment.STORE_BUCKET),
            region=_required(env, environment.REGION),
            store_endpoint=env.get(environment.STORE_ENDPOINT) or env.get(environment.ENDPOINT) or None,
            credentials=_credentials(env),
            alias_ttl_s=_seconds(env, environment.ALIAS_TTL_S, "10"),
            models_dir=Path(env.get(environment.MODELS_DIR) or "/opt/models"),
            tmp_dir=Path(env.get(environment.TMPDIR) or "/tmp"),  # noqa: S108 - Lambda's only writable folder
            memory_mb=_megabytes(env, environment.MEMORY_MB, str(limits.MB_PER_VCPU)),
            metrics_namespace=env.get(environment.METRICS_NAMESPACE) or "Warmstart",
            service_name=env.get(environment.SERVICE_NAME) or "inference",
            function_version=env.get(environment.FUNCTION_VERSION) or "$LATEST",
            default_model=reference(default, environment.DEFAULT_MODEL) if default else None,
            v1_protocol=one_of(env, environment.V1_PROTOCOL, V1_PROTOCOLS),
            shows_timing=one_of(env, environment.SERVER_TIMING, ("false", "true")) == "true",
            preload=tuple(reference(word, environment.PRELOAD) for word in words(env, environment.PRELOAD)),
            payload_locations=_prefixes(env, environment.PAYLOAD_LOCATIONS),
            warms_up=one_of(env, environment.WARM_UP, ("false", "true")) == "true",
            signed_by=_public_keys(env, environment.SIGNED_BY),
        )

    @property
    def threads(self) -> int:
        """Threads of one inference: the number of vCPUs, at least one."""
        return self.processors or limits.threads(self.memory_mb)

    @property
    def session_budget_bytes(self) -> int:
        """What all open sessions may take together."""
        return limits.session_budget_bytes(self.memory_mb)

    @property
    def payload_bytes(self) -> int:
        """What a body by reference may have at most."""
        return limits.payload_bytes(self.memory_mb)


def _credentials(env: Mapping[str, str]) -> Credentials | CredentialsAddress:
    if url := env.get(environment.CONTAINER_CREDENTIALS_URI):
        return CredentialsAddress(url, env.get(environment.CONTAINER_CREDENTIALS_TOKEN) or "")
    return Credentials(
        _required(env, environment.ACCESS_KEY_ID),
        _required(env, environment.SECRET_ACCESS_KEY),
        env.get(environment.SESSION_TOKEN) or None,
    )


def reference(text: str, name: str) -> ModelRef:
    """Read a model, from a variable of this name. Raises: InvalidSetting."""
    try:
        return ModelRef.parse(text)
    except InvalidReference as error:
        raise InvalidSetting(f"{name}: {error.message}", name=name) from error


def words(env: Mapping[str, str], name: str) -> list[str]:
    """Read what stands between commas."""
    return [word for text in (env.get(name) or "").split(",") if (word := text.strip())]


def one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """Read a word, the first of these if there is none. Raises: InvalidSetting."""
    value = env.get(name) or allowed[0]
    if value not in allowed:
        raise InvalidSetting(f"{name}: expected {' or '.join(allowed)}, got {value!r}", name=name)
    return value


def _prefixes(env: Mapping[str, str], name: str) -> tuple[Prefix, ...]:
    """Read the prefixes that are allowed; none of them in the store: who may write there could publish."""
    if not (value := env.get(name)):
        return ()
    from model_store.payload_locations import parse_prefix

    prefixes = tuple(parse_prefix(text, name=name) for text in value.split(","))
    if any(prefix.bucket == env.get(environment.STORE_BUCKET) for prefix in prefixes):
        raise InvalidSetting(f"{name}: expected other buckets than the store's own, got {value!r}", name=name)
    return prefixes


def _public_keys(env: Mapping[str, str], name: str) -> tuple[PublicKey, ...]:
    """Read base64 keys, separated by commas. The variable is there, if only as "", where signatures are asked for."""
    if (value := env.get(name)) is None:
        return ()
    from model_store.signing.public_key import parse_public_key

    try:
        return tuple(parse_public_key(text) for text in value.split(","))
    except InvalidKey as error:
        raise InvalidSetting(f"{name}: {error.message}", name=name) from error


def _required(env: Mapping[str, str], name: str) -> str:
    if not (value := env.get(name)):
        raise InvalidSetting(f"{name}: expected a value, got {value!r}; Lambda or the stack sets it", name=name)
    return value


def _seconds(env: Mapping[str, str], name: str, default: str) -> float:
    value = env.get(name) or default
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise InvalidSetting(f"{name}: expected seconds from 0 to 86400, got {value!r}", name=name)
    return seconds


def _megabytes(env: Mapping[str, str], name: str, default: str) -> int:
    value = env.get(name) or default
    if not value.isdecimal() or not 128 <= int(value) <= 32_768:
        raise InvalidSetting(f"{name}: expected whole megabytes from 128 to 32768, got {value!r}", name=name)
    return int(value)
