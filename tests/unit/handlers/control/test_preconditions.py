"""The conditional headers."""

import pytest

from handlers.control.preconditions import expectation
from handlers.control.service import Absent, At
from warmstart.errors import InvalidRequest, MissingPrecondition


def test_an_entity_tag_says_where_the_alias_is_expected() -> None:
    assert expectation('"9b2c"', None) == At('"9b2c"')


def test_a_star_in_if_none_match_says_that_no_alias_is_expected() -> None:
    assert expectation(None, "*") == Absent()


def test_neither_header_is_refused() -> None:
    with pytest.raises(MissingPrecondition, match=r"got neither"):
        expectation(None, None)


def test_both_headers_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"got both"):
        expectation('"9b2c"', "*")


@pytest.mark.parametrize("value", ["9b2c", "*", '"a", "b"', "", '"a"\n', "'a'"])
def test_an_if_match_that_is_not_one_entity_tag_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest, match=r"If-Match: expected one entity tag in double quotes"):
        expectation(value, None)


@pytest.mark.parametrize("value", ['"9b2c"', "", "**"])
def test_an_if_none_match_that_is_not_a_star_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest, match=r"If-None-Match: expected \*"):
        expectation(None, value)
