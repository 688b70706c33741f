"""Published versions out of a stage's store, for the layer that bakes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layers.model_layer import Published, PublishedFile
from model_store import keys
from model_store.manifest import parse_manifest
from warmstart import stacks
from warmstart.errors import ObjectNotFound, Unreachable, Unsigned, VersionNotFound

if TYPE_CHECKING:
    from model_store.objects import ObjectReader


class StoredModels:
    """A store's versions, as the builder of model layers reads them; with `signed` they have to be signed.

    Whose signature it is, the function itself checks.
    """

    def __init__(self, objects: ObjectReader, *, signed: bool = False) -> None:
        self._objects, self._signed = objects, signed

    def read(self, name: str, version: int) -> Published:
        """Read a version's manifest. Raises: VersionNotFound, InvalidManifest, Unsigned, StoreError."""
        key = keys.manifest(name, version)
        try:
            body = self._objects.get(key).body
        except ObjectNotFound as error:
            raise VersionNotFound(f"baked_models: expected a published version; got {name}:{version}") from error
        manifest = parse_manifest(body, where=key)
        variants = [file for variant in manifest.variants for file in variant.files]
        return Published(body, manifest.files, variants, self._signature(name, version))

    def _signature(self, name: str, version: int) -> bytes | None:
        try:
            return self._objects.get(keys.signature(name, version)).body
        except ObjectNotFound as error:
            if not self._signed:
                return None
            raise Unsigned(
                f"baked_models: expected a signed version, as the stage has require_signature; got {name}:{version}: "
                "publish it again with --key, and bake that"
            ) from error

    def download(self, name: str, version: int, file: PublishedFile, to: Path) -> None:
        """Write one file of a version. Raises: ObjectNotFound, ArtifactMismatch, StoreError."""
        self._objects.download(keys.artifact(name, version, file.path), to, size_bytes=file.size_bytes)


def store_of(stage: str, *, region: str | None, signed: bool = False) -> StoredModels:
    """Open the store that a stage's stack has made, with the credentials of the environment.

    `region`: where the CDK deploys to; None leaves it to the SDK, which does not read AWS_REGION. `signed`: whether
    its versions have to be signed.
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
    return StoredModels(S3Objects(outputs[stacks.STORE_BUCKET], client), signed=signed)
