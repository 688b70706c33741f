"""Carry a publication out. A reader sees the state before or the complete new version, whenever this is killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple, assert_never
from uuid import uuid4

from model_store import keys, staging
from model_store.gate.plan import (
    ClaimVersion,
    MoveAlias,
    PublishPlan,
    SignManifest,
    Step,
    UploadFile,
    WriteDocument,
    WriteManifest,
    plan_file,
)
from model_store.gate.steps import GateReport
from model_store.history import utc
from model_store.integrity import verify
from model_store.manifest import Manifest, render_manifest
from model_store.objects import ObjectStore, OnBytes
from model_store.registry import Alias, Registry
from model_store.signing.sign import Signer
from model_store.signing.statement import render_statement
from warmstart.errors import AliasMoved, AliasNotFound, PreconditionFailed, VersionClaimed

ALIAS_ATTEMPTS: Final = 20


class Published(NamedTuple):
    """The new version, and where its alias points now: at a later version if somebody published one meanwhile.

    `report` is the gate's, where the model came in by it.
    """

    manifest: Manifest
    alias: Alias
    report: GateReport | None = None


def apply(
    plan: PublishPlan,
    objects: ObjectStore,
    *,
    by: str,
    clock: Callable[[], float],
    new_id: Callable[[], str],
    signer: Signer | None = None,
    on_step: Callable[[Step], None] | None = None,
    on_bytes: OnBytes | None = None,
) -> Published:
    """Execute the steps in order; `on_step` hears of each before it starts, `on_bytes` of files on their way.

    `by` says who publishes. What an interrupted attempt had sent of the same files is not sent again.

    `clock` gives seconds since the epoch, `new_id` a string that no other publisher gives; `signer` has the key that
    the plan names.
    Raises: ArtifactMismatch if a file changed since it was planned; AliasMoved if others keep moving the alias:
    the version is published then; InvalidKey or Unreachable if KMS does not sign; StoreError.
    """
    publisher = _Publisher(plan, objects, by=by, clock=clock, new_id=new_id, signer=signer, on_bytes=on_bytes)
    for step in plan.steps:
        if on_step is not None:
            on_step(step)
        publisher.execute(step)
    return publisher.published()


def publish_file(
    source: Path,
    name: str,
    objects: ObjectStore,
    *,
    labels: tuple[str | int, ...] = (),
    by: str = "publish_file",
    clock: Callable[[], float] = time.time,
    new_id: Callable[[], str] = lambda: uuid4().hex,
    signer: Signer | None = None,
) -> Published:
    """Plan to publish an .onnx file, and do it. Raises: as `plan_file` and `apply`."""
    plan = plan_file(source, name, objects, labels=labels, key_id=signer.public_key.key_id if signer else None)
    return apply(plan, objects, by=by, clock=clock, new_id=new_id, signer=signer)


class _Publisher:
    def __init__(
        self,
        plan: PublishPlan,
        objects: ObjectStore,
        *,
        by: str,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        signer: Signer | None,
        on_bytes: OnBytes | None,
    ) -> None:
        self._plan, self._objects, self._by, self._clock, self._new_id = plan, objects, by, clock, new_id
        self._signer, self._on_bytes = signer, on_bytes
        self._registry = Registry(objects, clock=clock, new_id=new_id)
        self._version = 0
        self._manifest: Manifest | None = None
        self._is_written = False
        self._alias: Alias | None = None

    def execute(self, step: Step) -> None:
        match step:
            case ClaimVersion(first):
                self._version = self._claim(first)
            case UploadFile(source, file):
                verify(source, file)
                key = keys.artifact(self._plan.name, self._version, file.path)
                staging.send(self._objects, source, file, key, on_bytes=self._on_bytes)
            case WriteDocument(file, body):
                self._objects.put(keys.artifact(self._plan.name, self._version, file.path), body, if_absent=True)
            case SignManifest(key_id):
                self._sign(key_id)
            case WriteManifest():
                self._write_manifest()
                staging.forget(self._objects, (step.file for step in self._plan.steps if isinstance(step, UploadFile)))
            case MoveAlias(alias):
                self._alias = self._move_forward(alias)
            case _:
                assert_never(step)

    def published(self) -> Published:
        if self._manifest is None or not self._is_written or self._alias is None:
            raise ValueError("a plan has to write a manifest and to move an alias")
        return Published(self._manifest, self._alias)

    def _claim(self, first: int) -> int:
        """Take the first number whose claim is not there yet. A claim is never taken back: numbers are cheap."""
        claim = {"claimed_at": utc(self._clock()), "claimed_by": self._by, "token": self._new_id()}
        body = json.dumps(claim, indent=2).encode()
        for number in count(first):
            try:
                self._objects.put(keys.claim(self._plan.name, number), body, if_absent=True)
            except PreconditionFailed:
                continue
            return number
        raise AssertionError("count() does not end")

    def _composed(self) -> Manifest:
        """Compose the manifest, once: what is written is what was signed."""
        plan = self._plan
        if self._manifest is None:
            self._manifest = Manifest(
                name=plan.name,
                version=self._version,
                created_at=utc(self._clock()),
                signature=plan.signature,
                files=plan.files,
                labels=plan.labels,
                provenance=plan.provenance,
                run=plan.run,
                variants=plan.variants,
                documents=plan.documents,
                preprocessing=plan.preprocessing,
            )
        return self._manifest

    def _sign(self, key_id: str) -> None:
        """Write the signature; before the manifest no reader looks for it."""
        if self._signer is None or self._signer.public_key.key_id != key_id:
            raise ValueError(f"a plan that signs with key {key_id} needs its signer")
        manifest = self._composed()
        statement = render_statement(manifest, render_manifest(manifest), by=self._by)
        self._objects.put(keys.signature(self._plan.name, self._version), self._signer.seal(statement))

    def _write_manifest(self) -> None:
        name, version = self._plan.name, self._version
        try:
            self._objects.put(keys.manifest(name, version), render_manifest(self._composed()), if_absent=True)
        except PreconditionFailed as error:
            raise VersionClaimed(
                f"{name}:{version}: somebody wrote a manifest under our claim; publish again"
            ) from error
        self._is_written = True

    def _move_forward(self, alias: str) -> Alias:
        """Move the alias to our version; if others are faster, try again as long as theirs is the older version."""
        name, version = self._plan.name, self._version
        for _ in range(ALIAS_ATTEMPTS):
            seen = self._see(alias)
            if seen is not None and seen.version >= version:
                return seen
            etag, absent = (seen.etag, None) if seen else (None, 0)
            try:
                return self._registry.move_alias(
                    name, alias, version, by=self._by, reason="published", expected_etag=etag, expected_version=absent
                )
            except AliasMoved:
                continue
        raise AliasMoved(
            f"{name}@{alias}: others moved it {ALIAS_ATTEMPTS} times in a row; {name}:{version} is published: "
            f"move the alias with `warmstart alias {name} {alias} {version}`"
        )

    def _see(self, alias: str) -> Alias | None:
        try:
            return self._registry.alias(self._plan.name, alias)
        except AliasNotFound:
            return None
