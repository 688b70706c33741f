"""Published versions out of a stage's store, for the layer that bakes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layers.model_layer import Published, PublishedFile
from model_store import keys
from model_store.manifest import parse_manifest
from warmstart import stacks
from warmstart.errors import ObjectNotFound, Unreachable, VersionNotFound

if TYPE_CHECKING:
    from model_store.objects import ObjectReader


class StoredModels:
    """A store's versions, as the builder of model layers reads them."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def read(self, name: str, version: int) -> Published:
        """Read a version's manifest. Raises: VersionNotFound, InvalidManifest, StoreError."""
        key = keys.manifest(name, version)
        try:
            body = self._objects.get(key).body
        except ObjectNotFound as error:
            raise VersionNotFound(f"baked_models: expected a published version; got {name}:{version}") from error
        manifest = parse_manifest(body, where=key)
        return Published(body, manifest.files, [file for variant in manifest.variants for file in variant.files])

    def download(self, name: str, version: int, file: PublishedFile, to: Path) -> None:
        """Write one file of a version. Raises: ObjectNotFound, ArtifactMismatch, StoreError."""
        self._objects.download(keys.artifact(name, version, file.path), to, size_bytes=file.size_bytes)


def store_of(stage: str, *, region: str | None) -> StoredModels:
    """Open the store that a stage's stack has made, with the credentials of the environment.

    `region`: where the CDK deploys to; None leaves it to the SDK, which does not read AWS_REGION.
    Raises: Unreachable if the stack is not there yet, or AWS does not answer.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from model_store.s3 import S3Objects

    stack = stacks.store_stack(stage)
    try:
        session = boto3.Session(region_name=region)
        [found] = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        client = session.client("s3")
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(
            f"baked_models: expected the stack {stack}, to read models from its store; got: {error}. "
            "Deploy without baked_models first, publish, then deploy with them"
        ) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    return StoredModels(S3Objects(outputs[stacks.STORE_BUCKET], client))
