"""docs/signing.md shows keys that are keys, and settings that are settings."""

from __future__ import annotations

import json
import re
from pathlib import Path

from infra.config import from_context
from model_store.signing.public_key import parse_public_key

DOCUMENT = (Path(__file__).parents[4] / "docs" / "signing.md").read_text(encoding="utf-8")


def test_the_key_that_is_shown_has_the_id_that_is_shown() -> None:
    [(key_id, text)] = re.findall(r"^ed25519, id (\w{16})….*\n(\S+)$", DOCUMENT, re.MULTILINE)

    assert parse_public_key(text).key_id.startswith(key_id)


def test_the_settings_that_are_shown_are_read() -> None:
    [block] = re.findall(r'^    "stages": \{\n(?:    .*\n)+', DOCUMENT, re.MULTILINE)

    config = from_context({**json.loads(f"{{{block}}}"), "stage": "prod"})

    assert (config.require_signature, len(config.signing_public_keys)) == (True, 1)
