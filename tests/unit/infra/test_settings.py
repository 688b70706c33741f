"""Kinds of values: what each reads, and what it refuses."""

import pytest

from infra.settings import Choice, Flag, Items, Kind, Number, Optional, Text, Whole

WORD = Text("[a-z]+", "small letters")


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Whole(1, 10), 3, 3),
        (Whole(1, 10), "10", 10),
        (Number(0.5, 2), "0.5", 0.5),
        (Number(0.5, 2), 2, 2.0),
        (Flag(), True, True),
        (Flag(), "true", True),
        (Flag(), "false", False),
        (Choice(("a", "b")), "b", "b"),
        (WORD, "abc", "abc"),
        (Items(WORD, most=2), "a, b", ("a", "b")),
        (Items(WORD, most=2), ["a"], ("a",)),
        (Items(WORD, most=2), "", ()),
        (Optional(Whole(1, 10)), None, None),
        (Optional(Whole(1, 10)), "none", None),
        (Optional(Whole(1, 10)), "7", 7),
    ],
)
def test_a_value_is_read_from_json_and_from_the_command_line(kind: Kind, raw: object, value: object) -> None:
    assert kind.read(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (Whole(1, 10), 0),
        (Whole(1, 10), 11),
        (Whole(1, 10), True),
        (Whole(1, 10), 3.0),
        (Whole(1, 10), "3.0"),
        (Whole(1, 10), "٣"),
        (Whole(1, 10), " 3"),
        (Whole(1, 10), None),
        (Whole(1, 10, among=(1, 5)), 2),
        (Number(0.5, 2), "nan"),
        (Number(0.5, 2), float("nan")),
        (Number(0.5, 2), float("inf")),
        (Number(0.5, 2), "1e0"),
        (Number(0.5, 2), True),
        (Flag(), 1),
        (Flag(), 0),
        (Flag(), "yes"),
        (Flag(), ""),
        (Flag(), None),
        (Choice(("a", "b")), "c"),
        (Choice(("a", "b")), ["a"]),
        (WORD, "abc\n"),
        (WORD, 3),
        (Items(WORD, most=2), "a,b,c"),
        (Items(WORD, most=2), ["a", 3]),
        (Items(WORD, most=2), 3),
        (Optional(Whole(1, 10)), 11),
    ],
)
def test_a_value_of_another_type_or_out_of_range_is_refused(kind: Kind, raw: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        kind.read(raw)
