"""The server's settings: one frozen value, read once. The command's options overrule variables of the same meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from handlers.inference.settings import InferenceSettings, one_of, reference, words
from model_store.stores import parse_bucket
from warmstart import __version__, environment
from warmstart.errors import InvalidSetting

LOGS: Final = ("errors", "all", "none")
"""What is logged of the requests; the first is the default."""
DEFAULT_PORT: Final = 8080
DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_QUEUE: Final = 100
DEFAULT_DELAY_MS: Final = 5.0
DEFAULT_DRAIN_S: Final = 25.0
"""Below the 30 s after which Kubernetes kills a container that was told to end."""
DEFAULT_BODY_MB: Final = 64
DEFAULT_BUSY_POLL_US: Final = 50
"""Where there are two processors: on one alone, whoever asks would wait meanwhile."""
MIN_CONCURRENCY: Final = 8
HEALTH: Final = "/v2/health/ready"


class BatchLimit(NamedTuple):
    """What a model's batches may be: rows together, and the longest wait for others."""

    max_batch_size: int
    max_delay_s: float


class ServerSettings(NamedTuple):
    """How a server serves, and what. `inference` is what it shares with the Lambda function."""

    store_url: str
    inference: InferenceSettings
    host: str
    port: int
    preload: tuple[str, ...]
    concurrency: int
    """Requests that are computed at once, beside the quick ones."""
    queue: int
    """Requests that are computed or wait."""
    batching: Mapping[str, BatchLimit]
    max_body_mb: int
    busy_poll_us: int
    """How long the next request is looked for without sleeping, behind one that was quick."""
    drain_s: float
    log: str
    aliases: Mapping[str, str]
    """Paths that mean others: Vertex AI chooses its own."""
    grpc_port: int | None = None
    """None: gRPC is not served."""

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, processors: int = 1, memory_mb: int = 1024) -> ServerSettings:
        """Read the environment of a machine of this size. Raises: InvalidSetting, with the variable and its value."""
        if not (store_url := env.get(environment.STORE_URL)):
            raise InvalidSetting(
                f"{environment.STORE_URL}, or --store: expected s3://bucket, s3://bucket/prefix or file:///path; "
                "got nothing",
                name=environment.STORE_URL,
            )
        inference = _inference(env, processors, memory_mb)
        preload = tuple(map(str, inference.preload))
        batching = _batching(env)
        concurrency = _whole(env, environment.CONCURRENCY, max(MIN_CONCURRENCY, 2 * processors), most=1024)
        needed = max((limit.max_batch_size for limit in batching.values()), default=0)
        port = environment.PORT if env.get(environment.PORT) else environment.AIP_HTTP_PORT
        return cls(
            store_url=store_url,
            inference=inference,
            host=env.get(environment.HOST) or DEFAULT_HOST,
            port=_whole(env, port, DEFAULT_PORT, least=0, most=65_535),
            grpc_port=_grpc_port(env),
            preload=preload,
            concurrency=max(concurrency, needed),
            queue=_whole(env, environment.QUEUE, DEFAULT_QUEUE, most=1_000_000),
            batching=batching,
            max_body_mb=_whole(env, environment.MAX_BODY_MB, DEFAULT_BODY_MB, most=2047),
            busy_poll_us=_whole(
                env, environment.BUSY_POLL_US, DEFAULT_BUSY_POLL_US if processors > 1 else 0, least=0, most=1000
            ),
            drain_s=_number(env.get(environment.DRAIN_S) or str(DEFAULT_DRAIN_S), environment.DRAIN_S, most=3600),
            log=one_of(env, environment.LOG, LOGS),
            aliases=_aliases(env, preload),
        )


def _inference(env: Mapping[str, str], processors: int, memory_mb: int) -> InferenceSettings:
    """Read what the Lambda function reads too, with our own words where Lambda or the stack would set a variable."""
    store_url = env[environment.STORE_URL]
    region = env.get(environment.REGION) or env.get(environment.DEFAULT_REGION) or ""
    if env.get(environment.PAYLOAD_LOCATIONS) and not region:
        raise InvalidSetting(
            f"{environment.REGION}: expected the region of the buckets in {environment.PAYLOAD_LOCATIONS}, got nothing",
            name=environment.REGION,
        )
    ours = {
        environment.STORE_BUCKET: parse_bucket(store_url)[0] if store_url.startswith("s3://") else store_url,
        environment.REGION: region or "-",
        environment.ACCESS_KEY_ID: "-",
        environment.SECRET_ACCESS_KEY: "-",
        environment.FUNCTION_VERSION: __version__,
        environment.MEMORY_MB: "128",
    }
    threads = _whole(env, environment.THREADS, processors, most=1024)
    return InferenceSettings.from_env({**env, **ours})._replace(processors=threads, memory_mb=memory_mb)


def _grpc_port(env: Mapping[str, str]) -> int | None:
    return _whole(env, environment.GRPC_PORT, 0, least=0, most=65_535) if env.get(environment.GRPC_PORT) else None


def _aliases(env: Mapping[str, str], preload: tuple[str, ...]) -> dict[str, str]:
    """Find what Vertex AI's routes mean: TensorFlow Serving's predict of one model, and readiness."""
    aliases = {}
    if health := env.get(environment.AIP_HEALTH_ROUTE):
        aliases[health.rstrip("/")] = HEALTH
    if predict := env.get(environment.AIP_PREDICT_ROUTE):
        model = env.get(environment.DEFAULT_MODEL) or (preload[0] if len(preload) == 1 else "")
        if not model:
            raise InvalidSetting(
                f"{environment.AIP_PREDICT_ROUTE}: expected the model that it asks in {environment.DEFAULT_MODEL}, "
                "got none",
                name=environment.AIP_PREDICT_ROUTE,
            )
        aliases[predict.rstrip("/")] = f"/v1/models/{model}:predict"
    return {path: meant for path, meant in aliases.items() if path != meant}


def _batching(env: Mapping[str, str]) -> dict[str, BatchLimit]:
    sizes = _by_model(env, environment.MAX_BATCH_SIZE)
    delays = _by_model(env, environment.MAX_DELAY_MS)
    if stray := delays.keys() - sizes.keys():
        name = environment.MAX_DELAY_MS
        raise InvalidSetting(
            f"{name}: expected models that {environment.MAX_BATCH_SIZE} names, got {min(stray)}", name=name
        )
    limits = {}
    for model, size in sizes.items():
        rows = _whole({environment.MAX_BATCH_SIZE: size}, environment.MAX_BATCH_SIZE, 0, least=2, most=4096)
        delay_ms = _number(delays.get(model, str(DEFAULT_DELAY_MS)), environment.MAX_DELAY_MS, most=10_000)
        limits[model] = BatchLimit(rows, delay_ms / 1000)
    return limits


def _by_model(env: Mapping[str, str], name: str) -> dict[str, str]:
    """Read `iris=32,digits=16`."""
    found = {}
    for word in words(env, name):
        model, separator, value = word.partition("=")
        ref = reference(model, name)
        if not separator or ref.name != model:
            raise InvalidSetting(f"{name}: expected MODEL=NUMBER, got {word!r}", name=name)
        found[model] = value
    return found


def _whole(env: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int) -> int:
    value = env.get(name) or str(default)
    if not value.isdecimal() or not least <= int(value) <= most:
        raise InvalidSetting(f"{name}: expected a whole number from {least} to {most}, got {value!r}", name=name)
    return int(value)


def _number(value: str, name: str, *, most: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise InvalidSetting(f"{name}: expected a number from 0 to {most:g}, got {value!r}", name=name)
    return number
