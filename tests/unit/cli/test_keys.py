"""`warmstart keys`."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from model_store.gate.steps import Target
from model_store.signing.public_key import parse_public_key
from tests.build import models, signing
from tests.build.command_line import ENVIRON, CommandLine

PASSPHRASE = {**ENVIRON, "WARMSTART_SIGNING_KEY_PASSPHRASE": "correct horse"}


def test_a_new_key_is_its_owners_alone_and_its_public_half_is_shown(warmstart: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"

    made = warmstart("keys", "new", str(path))

    assert made.code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    public = parse_public_key(made.lines[-1])
    assert made.lines[0].startswith(f"ed25519, id {public.key_id[:16]}")
    assert path.read_text().splitlines()[1] not in made.out + made.err


def test_the_public_half_is_shown_again(warmstart: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    made = warmstart("keys", "new", str(path), "--json").document

    assert warmstart("keys", "show", str(path), "--json").document == made
    assert sorted(made) == ["algorithm", "key_id", "public_key"]


def test_an_encrypted_key_opens_with_the_passphrase_of_the_environment(warmstart: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"

    assert warmstart("keys", "new", str(path), "--encrypt", environ=PASSPHRASE).code == 0

    assert b"ENCRYPTED PRIVATE KEY" in path.read_bytes()
    assert warmstart("keys", "show", str(path), environ=PASSPHRASE).code == 0


@pytest.mark.parametrize("environ", [{**ENVIRON, "WARMSTART_SIGNING_KEY_PASSPHRASE": "wrong"}])
def test_a_wrong_passphrase_is_one_clear_line(warmstart: CommandLine, tmp_path: Path, environ: dict[str, str]) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(signing.pem(signing.p256(), "correct horse"))

    refused = warmstart("keys", "show", str(path), environ=environ)

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("invalid_key: key ")


def test_nothing_is_published_that_the_stage_would_refuse_to_serve(warmstart: CommandLine, tmp_path: Path) -> None:
    source, key = tmp_path / "scale.onnx", tmp_path / "key.pem"
    source.write_bytes(models.scale())
    ann = warmstart("keys", "new", str(tmp_path / "ann.pem"), "--json").document["key_id"]
    warmstart("keys", "new", str(key))
    warmstart.stage.serves = Target(signed_by=(ann,))

    unsigned = warmstart("publish", str(source), "-n", "scale")
    foreign = warmstart("publish", str(source), "-n", "scale", "--key", str(key))

    assert (unsigned.code, foreign.code) == (1, 1)
    assert unsigned.err.startswith(f"unsigned: this stage serves what key {ann[:16]}… signed, and nothing else")
    assert foreign.err.startswith(f"invalid_key: this stage serves what key {ann[:16]}… signed, got key ")
    assert list(warmstart.stage.store.keys("")) == []
    assert warmstart("publish", str(source), "-n", "scale", "--key", str(tmp_path / "ann.pem")).code == 0


def test_an_existing_key_is_not_overwritten(warmstart: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    warmstart("keys", "new", str(path))
    before = path.read_bytes()

    assert warmstart("keys", "new", str(path)).code == 1
    assert path.read_bytes() == before
