"""Publishing into every object store, read back by every reader."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from model_store import keys
from model_store.gate import Published, apply, plan_file
from model_store.integrity import verify
from model_store.manifest import Manifest
from model_store.objects import ObjectReader, ObjectStore
from model_store.registry_reader import RegistryReader
from model_store.signing.sign import Signer
from model_store.signing.verify import Trust, check_signature
from tests.build import models, signing
from tests.build.stores import Pair, Watched
from tests.build.ticking import Ticking
from warmstart.errors import ArtifactMismatch, ModelNotFound
from warmstart.refs import ModelRef


class Killed(BaseException):
    """The publisher's process ends here."""


def publish(objects: ObjectStore, path: Path, ticking: Ticking, signer: Signer | None = None) -> Published:
    plan = plan_file(path, "iris", objects, key_id=signer.public_key.key_id if signer else None)
    return apply(plan, objects, by="ann", clock=ticking.clock, new_id=ticking.new_id, signer=signer)


def fetch(reader: ObjectReader, folder: Path, trust: Trust | None = None) -> Manifest | None:
    """Resolve `iris`, download and verify all its files as the function does; None if nothing is live."""
    try:
        manifest = RegistryReader(reader).resolve(ModelRef.parse("iris"))
    except ModelNotFound:
        return None
    if trust is not None:
        body = reader.get(keys.manifest("iris", manifest.version)).body
        check_signature(reader, body, "iris", manifest.version, trust=trust)
    folder.mkdir(exist_ok=True)
    for file in manifest.files:
        path = folder / file.path
        reader.download(keys.artifact("iris", manifest.version, file.path), path, size_bytes=file.size_bytes)
        verify(path, file)
    return manifest


def test_what_is_published_is_read(pair: Pair, tmp_path: Path) -> None:
    source = models.with_external_data(tmp_path / "source")

    published = publish(pair.store, source, Ticking())

    assert fetch(pair.reader, tmp_path / "read") == published.manifest
    assert (tmp_path / "read" / "weights.bin").read_bytes() == models.weights().tobytes()


def test_a_byte_flipped_in_the_store_is_refused(pair: Pair, tmp_path: Path) -> None:
    source = models.with_external_data(tmp_path / "source")
    publish(pair.store, source, Ticking())
    key = keys.artifact("iris", 1, "weights.bin")
    body = bytearray(pair.store.get(key).body)
    body[100] ^= 1
    pair.store.put(key, bytes(body))

    with pytest.raises(ArtifactMismatch, match=r"weights\.bin: expected sha256"):
        fetch(pair.reader, tmp_path / "read")


def test_what_was_published_with_a_key_passes_its_check(pair: Pair, tmp_path: Path) -> None:
    source = models.with_external_data(tmp_path / "source")
    signer = signing.signer()

    published = publish(pair.store, source, Ticking(), signer)

    assert fetch(pair.reader, tmp_path / "read", Trust([signer.public_key])) == published.manifest


@pytest.mark.parametrize("signer", [None, signing.signer()], ids=["unsigned", "signed"])
def test_a_publisher_killed_anywhere_leaves_the_old_state_or_the_new(
    pair: Pair, tmp_path: Path, signer: Signer | None
) -> None:
    ticking, path = Ticking(), tmp_path / "model.onnx"
    path.write_bytes(models.scale())
    trust = Trust([signer.public_key]) if signer else None
    for fatal in itertools.count(1):
        before = fetch(pair.reader, tmp_path / "read", trust)
        passed = itertools.count(1)

        def die(_operation: str, _key: str, passed: itertools.count[int] = passed, fatal: int = fatal) -> None:
            if next(passed) == fatal:
                raise Killed

        try:
            publish(Watched(pair.store, before=die), path, ticking, signer)
            break
        except Killed:
            after = fetch(pair.reader, tmp_path / "read", trust)
        assert after == before or (after is not None and after.version == last_claimed(pair.store))
    assert publish(pair.store, path, ticking, signer).alias.version == last_claimed(pair.store)


def last_claimed(objects: ObjectStore) -> int:
    """Give the highest number that anybody claimed."""
    return max(int(number) for number in objects.folders(keys.versions("iris")))
