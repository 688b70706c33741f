"""The one tree of errors."""

from __future__ import annotations

from collections.abc import Iterator

from warmstart import errors
from warmstart.errors import WarmstartError


def tree(cls: type[WarmstartError]) -> Iterator[type[WarmstartError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from tree(below)


def test_every_error_of_the_module_belongs_to_the_one_tree() -> None:
    declared = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert declared == {cls for cls in tree(WarmstartError) if cls.__module__ == errors.__name__}


def test_every_code_is_given_to_one_error_only() -> None:
    codes = [cls.code for cls in tree(WarmstartError)]
    assert sorted(codes) == sorted(set(codes))


def test_the_tree_in_the_docstring_names_every_error() -> None:
    assert errors.__doc__ is not None
    drawn = {line.strip("│├└─ ").split(" ")[0] for line in errors.__doc__.splitlines()[2:]}
    missing = {cls.__name__ for cls in tree(WarmstartError) if cls.__module__ == errors.__name__} - drawn
    assert missing <= {"TensorError"}


def test_an_error_keeps_its_message_and_its_facts() -> None:
    error = errors.WrongShape("input 'x': expected shape [2], got [3]", tensor="x")
    assert (str(error), error.message, error.tensor, error.model) == (error.message, str(error), "x", None)
    assert errors.MethodNotAllowed("no", allowed=("GET",)).allowed == ("GET",)
    assert errors.InvalidSetting("no", name="TTL").name == "TTL"
