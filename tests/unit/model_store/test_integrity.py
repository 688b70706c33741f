"""A file is what its manifest says, or it is refused."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from model_store.integrity import digests_of, mapped_parts, part_bounds, parts_of, sha256_of, verify
from model_store.manifest import ModelFile
from warmstart.errors import ArtifactMismatch

MIB = 1024 * 1024
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""FIPS 180-4's own example: sha256 of "abc"."""


def written(folder: Path, body: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(body)
    return path


def test_a_digest_is_the_standards(tmp_path: Path) -> None:
    assert sha256_of(written(tmp_path, b"abc")) == ABC


def test_a_digest_of_a_file_of_many_blocks_is_the_standards(tmp_path: Path) -> None:
    million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"  # FIPS 180-4: a million times "a"

    assert sha256_of(written(tmp_path, b"a" * 1_000_000)) == million


def test_a_file_as_published_is_accepted(tmp_path: Path) -> None:
    verify(written(tmp_path, b"abc"), ModelFile("model.onnx", 3, ABC))


def test_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    got = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"  # of "abd", by sha256sum

    with pytest.raises(ArtifactMismatch, match=re.escape(f"model.onnx: expected sha256 {ABC}, got {got}")):
        verify(written(tmp_path, b"abd"), ModelFile("model.onnx", 3, ABC))


@pytest.mark.parametrize("body", [b"", b"ab", b"abcd"])
def test_another_size_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(ArtifactMismatch, match=rf"model\.onnx: expected 3 bytes, got {len(body)}"):
        verify(written(tmp_path, body), ModelFile("model.onnx", 3, ABC))


@pytest.mark.parametrize(
    ("size", "bounds"),
    [
        (0, [0, 0]),
        (8 * MIB, [0, 8 * MIB]),
        (8 * MIB + 1, [0, 2796203, 5592406, 8 * MIB + 1]),
        (20 * MIB, [0, 4 * MIB, 8 * MIB, 12 * MIB, 16 * MIB, 20 * MIB]),
        (640 * MIB, [40 * MIB * index for index in range(17)]),
    ],
)
def test_a_file_is_cut_into_parts_of_some_four_mebibytes_or_a_sixteenth(size: int, bounds: list[int]) -> None:
    assert part_bounds(size) == bounds


def test_each_part_of_a_large_file_is_digested(tmp_path: Path) -> None:
    body = hashlib.shake_256(b"seed").digest(8 * MIB + 1)

    assert parts_of(written(tmp_path, body)) == (
        hashlib.sha256(body[:2796203]).hexdigest(),
        hashlib.sha256(body[2796203:5592406]).hexdigest(),
        hashlib.sha256(body[5592406:]).hexdigest(),
    )


def test_a_small_file_has_no_parts(tmp_path: Path) -> None:
    assert parts_of(written(tmp_path, bytes(8 * MIB))) == ()


def test_mapped_parts_have_the_same_digests_however_many_threads_take_them(tmp_path: Path) -> None:
    path = written(tmp_path, bytes(range(256)) * 4 * 9 * 1024)
    parts = mapped_parts(path)
    path.unlink()  # they stay readable
    assert sum(map(len, parts)) == 9 * 1024 * 1024
    for threads in (1, 2, 8):
        assert digests_of(parts, threads) == parts_of(written(tmp_path, b"".join(parts)))
