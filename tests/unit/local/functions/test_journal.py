"""Bytes in, lines out."""

from __future__ import annotations

import pytest

from local.functions.journal import Journal


class Sink:
    """A journal and what came out of it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.journal = Journal(self.lines.extend)


@pytest.fixture
def sink() -> Sink:
    return Sink()


def test_lines_are_put_together_from_pieces(sink: Sink) -> None:
    for piece in (b"on", b"e\ntw", b"o\n", b"three"):
        sink.journal.feed(piece)
    sink.journal.flush()
    assert sink.lines == ["one", "two"]
    sink.journal.cut()
    sink.journal.flush()
    assert sink.lines == ["one", "two", "three"]


def test_a_traceback_is_one_line_of_the_log(sink: Sink) -> None:
    sink.journal.feed(b"[ERROR] KeyError: 'x'\rTraceback (most recent call last):\r\xc2\xa0\xc2\xa0File\n")
    sink.journal.flush()
    assert sink.lines == ["[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n\u00a0\u00a0File"]


def test_bytes_that_are_not_utf8_are_replaced(sink: Sink) -> None:
    sink.journal.feed(b"\xff\n")
    sink.journal.flush()
    assert sink.lines == ["\ufffd"]


def test_a_line_above_256_kb_is_cut(sink: Sink) -> None:
    sink.journal.feed(b"x" * 300_000 + b"\n")
    sink.journal.flush()
    assert [len(line) for line in sink.lines] == [262_144, 37_856]


def test_the_tail_is_the_last_4_kb_of_one_invocation(sink: Sink) -> None:
    for number in range(100_000):
        sink.journal.add(f"line {number}")
    tail = sink.journal.take_tail()
    assert len(tail) == 4096
    assert tail.endswith(b"line 99998\nline 99999\n")
    sink.journal.add("next")
    assert sink.journal.take_tail() == b"next\n"
