"""JSON with the constants that Python writes."""

from __future__ import annotations

import math

import pytest

from warmstart.errors import MalformedBody
from warmstart.protocols.json_constants import load_python_json


def test_python_writes_what_json_has_not() -> None:
    first, second, third, fourth = load_python_json(b"[NaN, Infinity, -Infinity, 1.5]")
    assert math.isnan(first)
    assert (second, third, fourth) == (math.inf, -math.inf, 1.5)


def test_text_beside_a_constant_is_read_as_ever() -> None:
    assert load_python_json(b'["\\ud83d\\ude00", "\\u00e9", Infinity]') == ["\U0001f600", "\u00e9", math.inf]


def test_any_other_document_is_read_as_ever() -> None:
    assert load_python_json(b'{"a": "NaN"}') == {"a": "NaN"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body: expected JSON, got nothing"),
        (b"[1, nan]", "body: expected JSON, got invalid literal"),
        (b"[NaN, 1e400]", "body: expected JSON, got"),
        (b"[1e400, NaN]", "body: expected JSON, got number is infinity when parsed as double at character 1"),
        (b"[NaN", "body: expected JSON, got"),
        (b"\xff NaN", "body: expected JSON, got"),
        (b"[" * 100_000 + b"NaN", "body: expected JSON, got depth limit exceeded at character 1025"),
        (b'[NaN, "\\ud800"]', "body: expected JSON, got"),
        (b'{"\\udc00": NaN}', "body: expected JSON, got"),
        (b"[NaN, " + b"9" * 5000 + b"]", "body: expected JSON, got"),
    ],
)
def test_what_neither_reads_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        load_python_json(body)
    assert refused.value.message.startswith(message)
