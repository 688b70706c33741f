"""How `warmstart serve` reads its options: as Typer does, without the library that Typer reads values with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typer.core import TyperCommand


class LightCommand(TyperCommand):
    """A command of options alone, none required: text, numbers and lists of text, which Python's own types read.

    Typer 0.29 loads pydantic for every value, also for none: 65 ms and 8 MB, which a server would keep for its life.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options; what is not read so, from `--help` to a mistake, Typer answers as ever."""
        typed, rest, _ = self.make_parser(ctx).parse_args(list(args))
        try:
            values = {option.name: _read(option, typed) for option in self.params}
        except ValueError:
            return super().parse_args(ctx, args)
        if rest or typed.keys() - values.keys():
            return super().parse_args(ctx, args)
        ctx.params.update(values)
        return rest


def _read(option: Any, typed: Mapping[str, Any]) -> Any:
    """Raises: ValueError."""
    if option.name in typed:
        return option.type_descriptor.annotation(typed[option.name])
    return () if option.multiple else option.default
