"""Where a command works: a stage in an AWS account, or the local twin that runs now."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from warmstart import stacks
from warmstart.errors import StoreDenied, Unreachable

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_logs import CloudWatchLogsClient

    from model_store.gate.steps import Target
    from model_store.objects import ObjectStore
    from warmstart.client import Answer
    from warmstart.refs import ModelRef

READY_FILE: Final = Path(".warmstart/twin.json")
"""Where `warmstart local` says where it is, unless told otherwise."""

READY_FILE_VARIABLE: Final = "WARMSTART_READY_FILE"
BUCKET_VARIABLE: Final = "WARMSTART_STORE_BUCKET"
REGION_VARIABLE: Final = "AWS_REGION"
"""As AWS's command line and the CDK read it; boto3 alone knows only AWS_DEFAULT_REGION."""

_KNOCK_WITHIN_S: Final = 2.0
_DENIED: Final = ("Denied", "Unauthorized", "Expired", "InvalidClientTokenId", "SignatureDoesNotMatch", "Unrecognized")
"""Parts of the error codes with which AWS refuses the caller (IAM guide, "Troubleshooting"), not what was asked."""


class Predictor(Protocol):
    """What `warmstart predict` and `warmstart smoke` need of a client."""

    def predict(self, ref: ModelRef, records: Any) -> Answer:
        """Send one record, or a list of them. Raises: Unreachable, RequestRefused, MalformedBody."""
        ...

    def infer(self, ref: ModelRef, request: Mapping[str, Any]) -> Answer:
        """Send an inference request of the Open Inference Protocol V2. Raises: as `predict`."""
        ...


class LogEvent(NamedTuple):
    """A line of a log, without its end."""

    timestamp_ms: int
    message: str


class Log(Protocol):
    """What `warmstart trace` needs of a function's log."""

    def events(self, pattern: str, *, start_s: float) -> Iterator[LogEvent]:
        """Yield what was written since then (seconds since the epoch) and fits one of CloudWatch's filter patterns.

        A log that cannot filter by it yields every line. Raises: Unreachable, StoreDenied.
        """
        ...


class Stage(Protocol):
    """What the verbs need to know of a stage."""

    def objects(self) -> ObjectStore:
        """The store's objects."""
        ...

    def target(self) -> Target:
        """What is going to serve: the inference function's settings."""
        ...

    def client(self) -> Predictor:
        """A client of the data plane."""
        ...

    def log(self) -> Log:
        """The inference function's log."""
        ...

    def close(self) -> None:
        """Close every connection that was opened for the stage."""
        ...


class Choose(Protocol):
    """How a stage is found. Raises: Unreachable."""

    def __call__(self, name: str, *, local: bool, environ: Mapping[str, str]) -> Stage:
        """Return the running twin's stage, or the one deployed under this name."""
        ...


class AwsStage:
    """A deployed stage: its addresses are read from the outputs of its stacks."""

    def __init__(self, name: str, *, bucket: str | None = None, region: str | None = None) -> None:
        self._name, self._bucket, self._region = name, bucket, region
        self._closing = ExitStack()

    @cached_property
    def _session(self) -> boto3.Session:
        """The AWS session, with the credentials that the SDK finds."""
        import boto3

        return boto3.Session(region_name=self._region)

    def objects(self) -> ObjectStore:
        """The store's objects, in the stage's bucket. Raises: Unreachable, StoreDenied."""
        from model_store.s3 import S3Objects

        bucket = self._bucket or self._output(stacks.store_stack(self._name), stacks.STORE_BUCKET)
        with _asking("S3"):
            client = self._session.client("s3")
        self._closing.callback(client.close)
        return S3Objects(bucket, client)

    def target(self) -> Target:
        """Read the inference function's settings from its stack's output; the defaults for a bucket given by name.

        Raises: Unreachable, StoreDenied, InvalidSetting.
        """
        from model_store.gate.steps import Target, parse_target

        if self._bucket:  # its user may have rights on the bucket alone
            return Target()
        text = self._output(stacks.serving_stack(self._name), stacks.INFERENCE_TARGET)
        return parse_target(text, where=stacks.INFERENCE_TARGET)

    def client(self) -> Predictor:
        """A client with the stage's own API key, which the caller's credentials must be allowed to read.

        Raises: Unreachable, StoreDenied.
        """
        from warmstart.client import Client

        stack = stacks.serving_stack(self._name)
        key_id = self._output(stack, stacks.API_KEY_ID)
        with _asking(f"API key {key_id}", remedy="the caller needs apigateway:GET on it"):
            apigateway = self._session.client("apigateway")
            self._closing.callback(apigateway.close)
            key = apigateway.get_api_key(apiKey=key_id, includeValue=True)["value"]
        return self._closing.enter_context(Client(self._output(stack, stacks.ENDPOINT), api_key=key))

    def log(self) -> Log:
        """The inference function's log, which the caller's credentials must be allowed to filter.

        Raises: Unreachable.
        """
        with _asking("CloudWatch"):
            client = self._session.client("logs")
        self._closing.callback(client.close)
        return CloudWatchLog(client, stacks.log_group(self._name, "inference"))

    def close(self) -> None:
        """Close every connection."""
        self._closing.close()

    def _output(self, stack: str, key: str) -> str:
        outputs = self._outputs(stack)
        if key not in outputs:
            raise Unreachable(f"stack {stack}: expected an output {key}, got {', '.join(outputs) or 'none'}; redeploy")
        return outputs[key]

    def _outputs(self, stack: str) -> Mapping[str, str]:
        with _asking(f"stack {stack}", remedy="deploy it with `cdk deploy --all`, or name another with --stage"):
            cloudformation = self._session.client("cloudformation")
            self._closing.callback(cloudformation.close)
            [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


class CloudWatchLog:
    """A log group of CloudWatch."""

    def __init__(self, client: CloudWatchLogsClient, group: str) -> None:
        self._client, self._group = client, group

    def events(self, pattern: str, *, start_s: float) -> Iterator[LogEvent]:
        """Yield what fits, page by page. Raises: Unreachable, StoreDenied."""
        with _asking(f"log group {self._group}", remedy="deploy the stage, or name another with --stage"):
            pages = self._client.get_paginator("filter_log_events").paginate(
                logGroupName=self._group, startTime=int(start_s * 1000), filterPattern=pattern
            )
            for page in pages:
                for event in page["events"]:
                    yield LogEvent(event["timestamp"], event["message"].rstrip("\n"))


@contextmanager
def _asking(what: str, *, remedy: str = "`warmstart doctor` says what is missing") -> Iterator[None]:
    """Translate what the SDK raises. Raises: StoreDenied, Unreachable."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if any(part in error.response["Error"]["Code"] for part in _DENIED):
            raise StoreDenied(f"{what}: {error}") from error
        raise Unreachable(f"{what}: {error}; {remedy}") from error
    except BotoCoreError as error:
        raise Unreachable(f"AWS: {str(error).rstrip('.')}; `warmstart doctor` says what is missing") from error


class LocalStage:
    """The local twin, by its ready file. Raises: Unreachable if there is no such twin."""

    def __init__(self, ready_file: Path) -> None:
        from local import ready

        try:
            self._address = ready.read(ready_file)
        except OSError as error:
            raise Unreachable(
                f"local twin: expected its ready file {ready_file}, got {error.strerror}; start it: `warmstart local`"
            ) from error
        except (ValueError, TypeError) as error:
            raise Unreachable(
                f"local twin: {ready_file} is no ready file ({error}); remove it, and start `warmstart local`"
            ) from error
        _knock(self._address.aws_endpoint_url, ready_file)
        self._closing = ExitStack()

    def objects(self) -> ObjectStore:
        """The twin's store."""
        from model_store.s3 import S3Objects

        client = self._session.client("s3", endpoint_url=self._address.aws_endpoint_url)
        self._closing.callback(client.close)
        return S3Objects(self._address.store, client)

    def target(self) -> Target:
        """Read the inference function's settings from its stack's output. Raises: Unreachable, InvalidSetting."""
        from model_store.gate.steps import parse_target

        client = self._session.client("cloudformation", endpoint_url=self._address.aws_endpoint_url)
        self._closing.callback(client.close)
        stage = self._address.endpoint.rpartition("/")[2]
        with _asking(f"stack {stacks.serving_stack(stage)}", remedy="start the twin again: `warmstart local`"):
            [found] = client.describe_stacks(StackName=stacks.serving_stack(stage))["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
        return parse_target(outputs.get(stacks.INFERENCE_TARGET, ""), where=stacks.INFERENCE_TARGET)

    @cached_property
    def _session(self) -> boto3.Session:
        """The AWS session, with the twin's credentials."""
        import boto3

        from local.types import ACCESS_KEY_ID, SECRET_ACCESS_KEY

        return boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=self._address.region)

    def client(self) -> Predictor:
        """A client of the twin's gateway."""
        from warmstart.client import Client

        return self._closing.enter_context(Client(self._address.endpoint, api_key=self._address.api_key))

    def log(self) -> Log:
        """The inference function's log on the twin."""
        client = self._session.client("logs", endpoint_url=self._address.aws_endpoint_url)
        self._closing.callback(client.close)
        return CloudWatchLog(client, stacks.log_group(self._address.endpoint.rpartition("/")[2], "inference"))

    def close(self) -> None:
        """Close every connection."""
        self._closing.close()


class StoreStage:
    """A store by its URL, with no stage around it: models can be published and looked after, nothing serves them."""

    def __init__(self, url: str, *, region: str | None = None, profile: str | None = None) -> None:
        """Raises: InvalidSetting, StoreDenied."""
        from model_store.stores import open_store

        self._store = open_store(url, region=region, profile=profile)

    def objects(self) -> ObjectStore:
        """The store's objects."""
        return self._store.objects

    def target(self) -> Target:
        """Return the defaults of a stage."""
        from model_store.gate.steps import Target

        return Target()

    def client(self) -> Predictor:
        """Raises: Unreachable: a store answers no predictions."""
        raise Unreachable(f"{self._store.url}: a store answers no predictions; name a stage with --stage or --local")

    def log(self) -> Log:
        """Raises: Unreachable: nothing that runs writes a log."""
        raise Unreachable(f"{self._store.url}: a store has no log; name a stage with --stage or --local")

    def close(self) -> None:
        """Close every connection."""
        self._store.close()


def _knock(url: str, ready_file: Path) -> None:
    """See that somebody listens: a twin that was killed leaves its ready file behind."""
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname or "", where.port or 80), timeout=_KNOCK_WITHIN_S).close()
    except OSError as error:
        raise Unreachable(
            f"local twin: {ready_file} says {url}, where nobody answers ({error.strerror or error}): it has ended; "
            "start it again: `warmstart local`"
        ) from error


def ready_file(environ: Mapping[str, str]) -> Path:
    """Return the path of the twin's ready file."""
    return Path(environ.get(READY_FILE_VARIABLE) or READY_FILE)


def choose(name: str, *, local: bool, environ: Mapping[str, str]) -> Stage:
    """Return the running twin's stage, or the one deployed under this name. Raises: Unreachable."""
    if local:
        return LocalStage(ready_file(environ))
    return AwsStage(name, bucket=environ.get(BUCKET_VARIABLE), region=environ.get(REGION_VARIABLE) or None)
