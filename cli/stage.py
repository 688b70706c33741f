"""Where a command works: a stage in an AWS account, or the local twin that runs now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from warmstart import stacks
from warmstart.errors import StoreDenied, Unreachable

if TYPE_CHECKING:
    import boto3

    from model_store.objects import ObjectStore
    from model_store.registry import Registry
    from warmstart.client import Client

READY_FILE: Final = Path(".warmstart/twin.json")
"""Where `warmstart local` says where it is, unless told otherwise."""


class Stage(Protocol):
    """What the verbs need to know of a stage."""

    def objects(self) -> ObjectStore:
        """The store's objects."""
        ...

    def client(self) -> Client:
        """A client of the data plane."""
        ...


class AwsStage:
    """A deployed stage: its addresses are read from the outputs of its stacks."""

    def __init__(self, name: str, *, environ: Mapping[str, str]) -> None:
        self._name = name
        self._bucket = environ.get("WARMSTART_STORE_BUCKET")

    @cached_property
    def session(self) -> boto3.Session:
        """The AWS session, with the credentials that the SDK finds."""
        import boto3

        return boto3.Session()

    def objects(self) -> ObjectStore:
        """The store's objects, in the stage's bucket."""
        from model_store.s3 import S3Objects

        bucket = self._bucket or self._output(stacks.store_stack(self._name), stacks.STORE_BUCKET)
        return S3Objects(bucket, self.session.client("s3"))

    def client(self) -> Client:
        """A client with the stage's own API key, which the caller's credentials must be allowed to read."""
        from botocore.exceptions import BotoCoreError, ClientError

        from warmstart.client import Client

        stack = stacks.serving_stack(self._name)
        key_id = self._output(stack, stacks.API_KEY_ID)
        try:
            key = self.session.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
        except ClientError as error:
            raise StoreDenied(f"API key {key_id}: {error}; the caller needs apigateway:GET on it") from error
        except BotoCoreError as error:
            raise Unreachable(f"AWS: {error}") from error
        return Client(self._output(stack, stacks.ENDPOINT), api_key=key)

    def _output(self, stack: str, key: str) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            [found] = self.session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            raise Unreachable(
                f"stack {stack}: {error}; deploy it with `cdk deploy --all`, or name another with --stage"
            ) from error
        except BotoCoreError as error:
            raise Unreachable(f"AWS: {error}; `warmstart doctor` says what is missing") from error
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        if key not in outputs:
            raise Unreachable(f"stack {stack}: expected an output {key}, got {', '.join(outputs) or 'none'}; redeploy")
        return outputs[key]


class LocalStage:
    """The local twin, by its ready file."""

    def __init__(self, ready_file: Path) -> None:
        try:
            self._address: Mapping[str, str] = json.loads(ready_file.read_text())
        except OSError as error:
            raise Unreachable(
                f"local twin: expected its ready file {ready_file}, got {error.strerror}; start it: `warmstart local`"
            ) from error

    def objects(self) -> ObjectStore:
        """The twin's store."""
        import boto3

        from local.types import ACCESS_KEY_ID, SECRET_ACCESS_KEY
        from model_store.s3 import S3Objects

        client = boto3.client(
            "s3",
            endpoint_url=self._address["aws_endpoint_url"],
            region_name=self._address["region"],
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )
        return S3Objects(self._address["store"], client)

    def client(self) -> Client:
        """A client of the twin's gateway."""
        from warmstart.client import Client

        return Client(self._address["endpoint"], api_key=self._address["api_key"])


def choose(name: str, *, local: bool, environ: Mapping[str, str]) -> Stage:
    """Return the running twin's stage, or the one deployed under this name. Raises: Unreachable."""
    if local:
        return LocalStage(Path(environ.get("WARMSTART_READY_FILE", READY_FILE)))
    return AwsStage(name, environ=environ)


def registry(stage: Stage) -> Registry:
    """Return the registry on a stage's store, on the real clock."""
    import time
    import uuid

    from model_store.registry import Registry

    return Registry(stage.objects(), clock=time.time, new_id=lambda: uuid.uuid4().hex[:8])


def caller(environ: Mapping[str, str]) -> str:
    """Say who asks, for the history: the account's user name on this machine."""
    return environ.get("USER") or environ.get("LOGNAME") or "unknown"
