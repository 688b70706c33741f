"""Bodies as they come over a connection."""

from email.message import Message
from io import BytesIO

import pytest

from local.gateway.body import BadBody, BodyTooLarge, announced_too_large, read_body


def headers(*pairs: tuple[str, str]) -> Message:
    message = Message()
    for name, value in pairs:
        message[name] = value
    return message


CHUNKED = headers(("Transfer-Encoding", "chunked"))


def test_no_length_is_no_body() -> None:
    assert read_body(BytesIO(b"next request"), headers()) == b""


def test_a_body_ends_after_its_length() -> None:
    assert read_body(BytesIO(b"abcdef"), headers(("Content-Length", "3"))) == b"abc"


def test_chunks_are_joined_and_trailers_skipped() -> None:
    source = BytesIO(b"3\r\nabc\r\n2;name=value\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\nnext")
    assert read_body(source, CHUNKED) == b"abcde"
    assert source.read() == b"next"


@pytest.mark.parametrize("length", ["10485761", "9" * 5000])
def test_an_announced_length_above_10_mb_is_refused_without_reading(length: str) -> None:
    source, large = BytesIO(b"x" * 100), headers(("Content-Length", length))
    assert announced_too_large(large)
    with pytest.raises(BodyTooLarge):
        read_body(source, large)
    assert source.tell() == 0


def test_chunks_above_10_mb_together_are_refused_before_the_last_is_read() -> None:
    source = BytesIO(b"A00000\r\n" + b"x" * 0xA00000 + b"\r\n1\r\nx\r\n0\r\n\r\n")
    with pytest.raises(BodyTooLarge):
        read_body(source, CHUNKED)


def test_a_huge_chunk_size_is_refused_before_it_is_read() -> None:
    with pytest.raises(BodyTooLarge):
        read_body(BytesIO(b"FFFFFFFFFFFF\r\nx"), CHUNKED)


@pytest.mark.parametrize(
    "sent",
    [
        headers(("Content-Length", "3"), ("Transfer-Encoding", "chunked")),  # request smuggling
        headers(("Transfer-Encoding", "gzip, chunked")),
        headers(("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")),
        headers(("Content-Length", "3"), ("Content-Length", "4")),
        headers(("Content-Length", "-3")),
        headers(("Content-Length", "3a")),
        headers(("Content-Length", "")),
    ],
)
def test_ambiguous_framing_is_refused(sent: Message) -> None:
    with pytest.raises(BadBody):
        read_body(BytesIO(b"abcdef"), sent)


@pytest.mark.parametrize(
    "sent", [b"", b"x\r\n", b"3\r\nab", b"3\r\nabcd\r\n0\r\n\r\n", b"-1\r\n", b"3", b"+3\r\nabc\r\n"]
)
def test_broken_chunks_are_refused(sent: bytes) -> None:
    with pytest.raises(BadBody):
        read_body(BytesIO(sent), CHUNKED)


def test_a_connection_that_ends_early_is_a_bad_body() -> None:
    with pytest.raises(BadBody, match="expected 5 bytes, the connection ended after 3"):
        read_body(BytesIO(b"abc"), headers(("Content-Length", "5")))
