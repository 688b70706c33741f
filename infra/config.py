"""The settings of one stage: one frozen object, read once from CDK context.

`cdk.json` holds them per stage (`"stages": {"prod": {"memory_mb": 3008}}`); `-c stage=prod` chooses, and
`-c memory_mb=3008` overrides one of them for one command. docs/settings.md is made from this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Final, cast

from infra.combinations import check_combinations
from infra.scaling import SCHEDULED
from infra.settings import Choice, Flag, Items, Number, Optional, Setting, Text, Whole, described, setting
from model_store.payload_locations import PREFIX
from model_store.signing.public_key import parse_public_key
from warmstart.errors import InvalidKey, InvalidReference, InvalidSetting
from warmstart.refs import ModelRef
from warmstart.stacks import DEFAULT_STAGE

STAGES: Final = "stages"
"""The context key that holds the settings of each stage."""

_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg/"
_GATEWAY: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_OURS: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
"""Context keys of this form are ours, but for two; all else that is the CDK's has a ':', '/' or '@' in it."""
_CDKS: Final = frozenset({"acknowledged-issue-numbers", "cli-telemetry"})
"""What `cdk acknowledge` and `cdk cli-telemetry` write into the context; ours has the second."""

_LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """Everything that may differ between stages. Raises: InvalidSetting with the field's name."""

    stage: str = setting(
        DEFAULT_STAGE,
        Text(r"[a-z][a-z0-9-]{0,31}", "1 to 32 of a-z, 0-9 and '-', starting with a letter"),
        says="Name of the stage: of its stacks (`warmstart-prod-store`) and of the last part of the URL (`/prod`).",
        page=f"{_GATEWAY}stages.html",
    )
    architecture: str = setting(
        "arm64",
        Choice(("arm64", "x86_64")),
        says="Processor of both functions. arm64 costs 20 % less per GB-second.",
        page=f"{_LAMBDA}foundation-arch.html",
    )
    python: str = setting(
        "3.13",
        Choice(("3.12", "3.13", "3.14")),
        says="Python of both functions and of the bytecode in their layers.",
        page=f"{_LAMBDA}lambda-runtimes.html",
    )
    layer_platform: str = setting(
        "lambda",
        Choice(("lambda", "host")),
        says="What the layers hold: `lambda` for AWS; `host` is this machine's, for the local twin. "
        "Nothing else in the template differs.",
    )
    packaging: str = setting(
        "zip",
        Choice(("zip", "image")),
        says="What the inference function is deployed as: a zip with layers, at most 250 MB with baked models; or a "
        "container image of the same, at most 10 GB, which `cdk deploy` builds with Docker.",
        page=f"{_LAMBDA}python-image.html",
    )
    memory_mb: int = setting(
        1769,
        Whole(128, 10240),
        unit="MB",
        says="Memory of the inference function, and with it the processor: 1,769 MB is one vCPU. "
        "New accounts are limited to 3,008.",
        page=f"{_LAMBDA}configuration-memory.html",
    )
    timeout_s: int = setting(
        29,
        Whole(1, 29),
        unit="s",
        says="Longest invocation of either function. The gateway gives up after 29 s.",
        page=f"{_GATEWAY}api-gateway-execution-service-limits-table.html",
    )
    concurrency: int | None = setting(
        None,
        Optional(Whole(1, 100000)),
        unit="execution environments",
        says="Reserved for the inference function, and its limit. None: it shares the account's "
        "(1,000; 100 must stay unreserved).",
        page=f"{_LAMBDA}configuration-concurrency.html",
    )
    ephemeral_storage_mb: int = setting(
        1024,
        Whole(512, 10240),
        unit="MB",
        says="Disk (/tmp) of the inference function, where models are kept. The first 512 MB are free.",
        page=f"{_LAMBDA}configuration-ephemeral-storage.html",
    )
    alias_ttl_s: int = setting(
        10,
        Whole(0, 3600),
        unit="s",
        says="How long a warm environment trusts an alias before it asks the store again: the longest time until a "
        "newly published version answers.",
    )
    snap_start: bool = setting(
        False,
        Flag(),
        says="Whether environments of the inference function start from a snapshot of one that was initialized, "
        "with what `preload` names open. Not with more than 512 MB of `ephemeral_storage_mb`, with provisioned "
        "concurrency or as a container image: AWS excludes these.",
        page=f"{_LAMBDA}snapstart.html",
    )
    provisioned_concurrency: int | None = setting(
        None,
        Optional(Whole(1, 10000)),
        unit="execution environments",
        says="So many are kept initialized, and paid for, whether anybody asks or not. None: environments come and go.",
        page=f"{_LAMBDA}provisioned-concurrency.html",
    )
    provisioned_concurrency_max: int | None = setting(
        None,
        Optional(Whole(1, 10000)),
        unit="execution environments",
        says="Up to so many, while more than 70 % of them are in use (target tracking). None: as many as "
        "`provisioned_concurrency` says.",
        page=f"{_LAMBDA}provisioned-concurrency.html#managing-provisioned-concurency",
    )
    provisioned_schedule: tuple[str, ...] = setting(
        (),
        Items(Text(SCHEDULED, "a schedule and how many, such as `cron(0 7 ? * MON-FRI *)=5`, in UTC"), most=10),
        says="At these times provisioned concurrency changes to so many environments at least; 0 lets all of them go.",
        page="https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html",
    )
    keep_warm_minutes: int | None = setting(
        None,
        Optional(Whole(1, 60)),
        unit="minutes",
        says="How often one environment is invoked so that it stays; requests beside each other still start others. "
        "Lambda lets an idle environment go after some 5 to 15 minutes.",
        page="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html",
    )
    default_model: str | None = setting(
        None,
        Optional(
            Text(
                r"[a-z0-9][a-z0-9-]{0,62}(:[1-9][0-9]{0,8}|@[a-z][a-z0-9-]{0,62})?",
                "`iris`, `iris:3` or `iris@canary`",
            )
        ),
        says="The model that is asked where a path names none: `/predict`, `/invocations`, `/score`. None: such a path "
        "is refused.",
    )
    v1_protocol: str = setting(
        "tensorflow",
        Choice(("tensorflow", "kserve")),
        says="Whose protocol is spoken below `/v1/models`, where the two differ: TensorFlow Serving's or KServe's "
        "([protocol-kserve-v1.md](protocol-kserve-v1.md)).",
    )
    server_timing: bool = setting(
        False,
        Flag(),
        says="Whether answers say in a `Server-Timing` header where their time went: init, resolve, fetch, session, "
        "parse, run, render.",
    )
    warm_up: bool = setting(
        False,
        Flag(),
        says="Whether a model that was just opened runs its first golden example once before its first answer. It "
        "costs that run and one more request to the store, in cold starts alone.",
    )
    throttle_rate: float = setting(
        100.0,
        Number(0.1, 10000),
        unit="requests/s",
        says="Steady rate of the API key, and of each method, above which requests get 429.",
        page=f"{_GATEWAY}api-gateway-request-throttling.html",
    )
    throttle_burst: int = setting(
        200,
        Whole(1, 5000),
        unit="requests",
        says="How many requests may come at once, above the steady rate.",
        page=f"{_GATEWAY}api-gateway-request-throttling.html",
    )
    quota_per_day: int | None = setting(
        None,
        Optional(Whole(1, 1000000000)),
        unit="requests/day",
        says="Requests of the API key per day (UTC), then 429. None: no quota.",
        page=f"{_GATEWAY}api-gateway-api-usage-plans.html",
    )
    log_retention_days: int = setting(
        30,
        Whole(1, 3653, among=_LOG_RETENTION_DAYS),
        unit="days",
        says="How long CloudWatch Logs keeps the logs of both functions and the gateway's access log.",
        page="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html",
    )
    alarm_email: str | None = setting(
        None,
        Optional(Text(r"[^@\s,]{1,64}@[^@\s,]+\.[^@\s,]+", "an e-mail address")),
        says="Where alarms are sent; AWS asks the address to confirm first. None: alarms change colour, nothing more.",
        page="https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html",
    )
    p99_alarm_ms: int = setting(
        1000,
        Whole(1, 29000),
        unit="ms",
        says="The alarm on latency goes off when the 99th percentile of the inference function's duration is above "
        "this in 3 of 5 minutes.",
        page=f"{_LAMBDA}monitoring-metrics-types.html",
    )
    baked_models: tuple[str, ...] = setting(
        (),
        Items(Text(r"[^,\s]+", "a model and its version, such as `iris:3`"), most=20),
        says="Published versions that are built into a layer, so that their cold start fetches nothing. "
        "They are read from the stage's store when the template is synthesized. A version, never an alias.",
        page=f"{_LAMBDA}chapter-layers.html",
    )
    preload: tuple[str, ...] = setting(
        (),
        Items(Text(r"[^,\s]+", "a model, such as `iris`, `iris:3` or `iris@canary`"), most=20),
        says="Models that the inference function opens in its init phase, so that the first request finds them open. "
        "They are fetched beside its imports; what is not there after 6 s, or fails, is logged and left to the "
        "first request.",
        page=f"{_LAMBDA}lambda-runtime-environment.html",
    )
    require_signature: bool = setting(
        False,
        Flag(),
        says="Whether the inference function refuses versions that no key of `signing_public_keys` signed "
        "([signing.md](signing.md)). Its check is in a layer of its own, 15 MB.",
    )
    signing_public_keys: tuple[str, ...] = setting(
        (),
        Items(
            Text(r"[A-Za-z0-9+/]{59,122}={1,2}", "a public key as base64, as `warmstart keys show KEY` prints it"),
            most=5,
        ),
        says="Keys that sign versions, ECDSA P-256 or Ed25519: one of them suffices, so that keys can be changed.",
        page="https://docs.aws.amazon.com/kms/latest/developerguide/download-public-key.html",
    )
    payload_locations: tuple[str, ...] = setting(
        (),
        Items(Text(PREFIX, "`s3://bucket/prefix/`, with the last slash"), most=20),
        says="Where bodies above 6 MB may lie ([large-payloads.md](large-payloads.md)). The "
        "inference function may read and write below them, and nowhere else. Empty: references are refused.",
        page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html",
    )
    noncurrent_version_days: int = setting(
        30,
        Whole(1, 36500),
        unit="days",
        says="How long the bucket keeps what was overwritten or deleted.",
        page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html",
    )

    def __post_init__(self) -> None:
        """Read every field by its kind, so that none can be built wrong."""
        for name, what in settings().items():
            object.__setattr__(self, name, what.read(name, getattr(self, name)))
        for text in self.baked_models:
            _check_version(text)
        for text in self.preload:
            _check_reference(text, "preload")
        for text in self.signing_public_keys:
            _check_key(text)
        check_combinations(self)


def settings() -> Mapping[str, Setting]:
    """Return every setting of a stage by its name, in order."""
    return {entry.name: described(entry.metadata) for entry in fields(StageConfig)}


def defaults() -> Mapping[str, object]:
    """Return every setting's default by its name, in order."""
    return {entry.name: entry.default for entry in fields(StageConfig)}


def from_context(context: Mapping[str, object]) -> StageConfig:
    """Read a stage's settings from all of the CDK's context: the stage's own, then single keys over them.

    Raises: InvalidSetting that names the setting, what was expected and what came.
    """
    known = settings()
    stages = _mapping(STAGES, context.get(STAGES, {}))
    stage = known["stage"].read("stage", context.get("stage", DEFAULT_STAGE))
    if stage not in stages and (stages or stage != DEFAULT_STAGE):
        expected = ", ".join(stages) or DEFAULT_STAGE
        raise InvalidSetting(
            f'stage: expected one of those under "{STAGES}" in cdk.json ({expected}); got {stage!r}', name="stage"
        )
    own = _mapping(f"{STAGES}.{stage}", stages.get(str(stage), {}))
    over = {key: value for key, value in context.items() if _OURS.match(key) and key not in {STAGES, *_CDKS}}
    for key in (*own, *over):
        _refuse_unknown(key, known)
    if "stage" in own:
        raise InvalidSetting(f"stage: expected nothing in {STAGES}.{stage}, its key is its name", name="stage")
    return StageConfig(**cast("dict[str, str]", {**own, **over, "stage": stage}))  # type: ignore[arg-type]  # __post_init__ reads each


def _mapping(name: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidSetting(f"{name}: expected an object in cdk.json; got {value!r}", name=name)
    return value


def _refuse_unknown(key: str, known: Mapping[str, Setting]) -> None:
    if key in known:
        return
    nearest = get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"expected one of {', '.join(known)}"
    raise InvalidSetting(f"{key}: no such setting; {hint}", name=key)


def _check_reference(text: str, name: str) -> ModelRef:
    try:
        return ModelRef.parse(text)
    except InvalidReference as error:
        raise InvalidSetting(f"{name}: {error.message}", name=name) from error


def _check_version(text: str) -> None:
    reference = _check_reference(text, "baked_models")
    if reference.version is None:
        raise InvalidSetting(
            f"baked_models: expected a model and its version, such as '{reference.name}:3'; got {text!r}: "
            "an alias may move after the layer is built",
            name="baked_models",
        )


def _check_key(text: str) -> None:
    try:
        parse_public_key(text)
    except InvalidKey as error:
        raise InvalidSetting(f"signing_public_keys: {error.message}", name="signing_public_keys") from error
