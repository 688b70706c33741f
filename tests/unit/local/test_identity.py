"""Names and secrets that a twin derives."""

from __future__ import annotations

import stat
from pathlib import Path

from local.aws.identity import identifier, keep_seed, physical_name, secret


def test_a_kept_seed_gives_the_same_secret_again(tmp_path: Path) -> None:
    keep_seed(tmp_path)
    first = secret("api-key", "prod")
    keep_seed(tmp_path)
    assert secret("api-key", "prod") == first


def test_another_folder_gives_another_secret(tmp_path: Path) -> None:
    keep_seed(tmp_path / "a")
    first = secret("api-key", "prod")
    keep_seed(tmp_path / "b")
    assert secret("api-key", "prod") != first


def test_a_secret_looks_like_an_api_key(tmp_path: Path) -> None:
    keep_seed(tmp_path)
    made = secret("api-key", "prod")
    assert len(made) == 40
    assert made.isalnum()


def test_an_identifier_has_ten_lower_case_letters_and_digits(tmp_path: Path) -> None:
    keep_seed(tmp_path)
    made = identifier("api-key", "prod")
    assert len(made) == 10
    assert made.isalnum()
    assert made == made.lower()


def test_the_seed_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    keep_seed(tmp_path)
    assert stat.S_IMODE((tmp_path / "seed").stat().st_mode) == 0o600


def test_a_generated_name_is_the_same_each_time() -> None:
    assert physical_name("stack", "Function", limit=64) == "stack-Function-PUXWVJHJ6P3Y"


def test_a_generated_name_keeps_to_its_limit() -> None:
    assert len(physical_name("a" * 60, "b" * 60, limit=63)) == 63
