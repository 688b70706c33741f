"""Content codings: what was compressed comes out as it was, and no more of it than is allowed."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from warmstart.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType
from warmstart.protocols.coding import CODINGS, accepted_coding, decode, encode

BODY = b'{"inputs": [1, 2, 3]}' * 50_000
LIMIT = 2_000_000


@pytest.mark.parametrize("coding", CODINGS)
def test_what_was_encoded_is_decoded(coding: str) -> None:
    encoded = encode(BODY, coding)
    assert len(encoded) < len(BODY) / 10
    assert decode(encoded, coding, LIMIT) == BODY
    assert decode(encoded + encoded, coding, LIMIT * 2) == BODY * 2 or coding == "deflate"


def test_the_codings_are_those_of_their_own_libraries() -> None:
    assert gzip.decompress(encode(BODY, "gzip")) == BODY
    assert zlib.decompress(encode(BODY, "deflate")) == BODY
    assert decode(gzip.compress(BODY), " GZIP ", LIMIT) == BODY


def test_several_codings_come_off_the_last_applied_first() -> None:
    assert decode(encode(encode(BODY, "gzip"), "zstd"), "gzip, zstd", LIMIT) == BODY
    assert decode(BODY, "identity", LIMIT) == BODY


def test_more_codings_on_top_of_each_other_are_refused() -> None:
    body = gzip.compress(gzip.compress(gzip.compress(BODY, 0), 0))

    assert decode(gzip.decompress(body), "gzip, identity, gzip", LIMIT) == BODY
    with pytest.raises(UnsupportedMediaType, match="content-encoding: expected at most 2 codings, got 3"):
        decode(body, "gzip, gzip, gzip", LIMIT)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_was_decoded_on_its_way_is_taken_as_it_is(coding: str) -> None:
    for body in (b'{"a": 1}', b"x,y\n1,2\n", b"", b"\x93NUMPY", b"\xff\xd8\xff"):
        assert decode(body, coding, LIMIT) == body


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_ends_early_or_is_broken_is_refused(coding: str) -> None:
    encoded = encode(BODY, coding)
    with pytest.raises(MalformedBody, match=f"body: expected {coding}"):
        decode(encoded[:-5], coding, LIMIT)
    with pytest.raises(MalformedBody, match=f"body: expected {coding}"):
        decode(encoded[: len(encoded) // 2] + bytes(50) + encoded[len(encoded) // 2 :], coding, LIMIT)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_small_body_cannot_become_a_large_one(coding: str) -> None:
    bomb = encode(bytes(200_000_000), coding)
    tracemalloc.start()
    with pytest.raises(BodyTooLarge, match="expected at most 2000000 bytes once decoded"):
        decode(bomb, coding, LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_an_unknown_coding_is_refused_with_those_that_are_read() -> None:
    with pytest.raises(UnsupportedMediaType, match="expected one of zstd, gzip, deflate; got 'br'"):
        decode(BODY, "br", LIMIT)


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("gzip, zstd", "zstd"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("*", "zstd"),
        ("deflate", "deflate"),
        ("br", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=x", None),
        ("", None),
    ],
)
def test_an_answer_has_the_coding_that_is_liked_best_or_none(accept: str, coding: str | None) -> None:
    assert accepted_coding(accept) == coding


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_of_many_empty_streams_is_refused(coding: str) -> None:
    assert decode(encode(b"", coding) * 4096, coding, LIMIT) == b""
    with pytest.raises(MalformedBody, match=f"body: expected at most 4096 {coding} streams in a row, got more"):
        decode(encode(b"", coding) * 4097, coding, LIMIT)
