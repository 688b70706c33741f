"""Function names and ARNs."""

from __future__ import annotations

import pytest

from local.functions.names import FunctionName
from local.types import FunctionNotFound

ARN = "arn:aws:lambda:us-east-1:123456789012:function:fn"


@pytest.mark.parametrize(
    ("text", "name", "qualifier"),
    [
        ("fn", "fn", None),
        ("fn:live", "fn", "live"),
        ("fn:$LATEST", "fn", "$LATEST"),
        ("123456789012:function:fn", "fn", None),
        ("123456789012:function:fn:3", "fn", "3"),
        (ARN, "fn", None),
        (f"{ARN}:3", "fn", "3"),
    ],
)
def test_every_form_that_invoke_takes_is_read(text: str, name: str, qualifier: str | None) -> None:
    assert FunctionName.parse(text) == (name, qualifier)


def test_a_qualifier_may_be_given_apart_and_twice_if_it_is_the_same() -> None:
    assert FunctionName.parse("fn", "live") == ("fn", "live")
    assert FunctionName.parse("fn:live", "live") == ("fn", "live")


def test_two_different_qualifiers_are_refused() -> None:
    with pytest.raises(FunctionNotFound, match="does not match"):
        FunctionName.parse("fn:live", "3")


@pytest.mark.parametrize("text", ["", "fn:", "a b", "arn:aws:s3:::bucket", "x" * 141, "fn\n"])
def test_what_is_no_function_name_is_refused(text: str) -> None:
    with pytest.raises(FunctionNotFound):
        FunctionName.parse(text)


def test_the_arn_is_the_one_that_was_invoked() -> None:
    assert FunctionName("fn", None).arn() == ARN
    assert FunctionName("fn", "live").arn() == f"{ARN}:live"
