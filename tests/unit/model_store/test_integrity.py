"""A file is what its manifest says, or it is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from model_store.integrity import sha256_of, verify
from model_store.manifest import ModelFile
from warmstart.errors import ArtifactMismatch

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
