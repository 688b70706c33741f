"""Writes docs/cli.md from the command itself: `python -m cli.reference`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import typer

from cli.main import app

PATH: Final = Path(__file__).resolve().parent.parent / "docs" / "cli.md"

_HEAD: Final = """\
# The command line

<!-- Made by `python -m cli.reference`; a test keeps it current. -->

`warmstart` works on a stage that is deployed in your AWS account, with the credentials of your shell, or with `--local`
on the [local twin](twin.md) that runs now. Answers go to standard output, all else to standard error. Tables fold at a
terminal's width; in a pipe each row is one line. A table shows numbers with six digits, of many scores the largest and
of a long array the head: `--json` gives everything.

"""

_FOOT: Final = """\
## Exit codes

| code | means | for example |
|---|---|---|
| 0 | done | |
| 1 | refused, with the reason | no such model, an alias that somebody else moved, a file that is no ONNX model |
| 2 | wrong usage | an unknown option, a malformed name, records that are not JSON |
| 3 | not reachable | no twin runs, no such stack, the store does not answer |
| 130 | interrupted by Ctrl-C (`warmstart local` ends with 0: that is how it is stopped) | |

An error is one line, `code: message`, and where there is one a second with the remedy. With `--json` it is on standard
output: `{"error": {"code": ..., "message": ..., "remedy": ...}}`. Codes are stable, messages may get better.

## Environment variables

| variable | what it does |
|---|---|
| `WARMSTART_STAGE` | the stage, where `--stage` does not say it; without both it is `prod` |
| `WARMSTART_LOCAL` | `1`, `true` or `yes`: as if every command had `--local`; `--stage` overrules it |
| `WARMSTART_READY_FILE` | where the twin says where it is; default `.warmstart/twin.json` in the current folder |
| `WARMSTART_SIGNING_KEY` | the key that `publish` signs with, where `--key` does not say it |
| `WARMSTART_SIGNING_KEY_PASSPHRASE` | the passphrase of an encrypted key file; without it, it is asked for |
| `WARMSTART_STORE_BUCKET` | the store's bucket, instead of the one that the stage's store stack names |
| `AWS_REGION`, `AWS_PROFILE`, ... | as for every AWS tool |
"""


def render() -> str:
    """Return the document."""
    root = typer.main.get_command(app())
    assert isinstance(root, typer.core.TyperGroup)  # noqa: S101 - it has several verbs
    return _HEAD + "".join(_section(name, verb) for name, verb in root.commands.items()) + _FOOT


def _section(name: str, verb: Any) -> str:
    arguments = [parameter for parameter in verb.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in verb.params if parameter.param_type_name == "option"]
    words = [_required(parameter) for parameter in [*arguments, *(o for o in options if o.required)]]
    usage = " ".join(["warmstart", name, *words, *(["[OPTIONS]"] if options else [])])
    rows = [_row(f"`{argument.metavar}`", argument) for argument in arguments]
    rows += [_row(", ".join(f"`{name}`" for name in option.opts), option) for option in options]
    return f"## {name}\n\n{verb.help}\n\n    {usage}\n\n| | default | |\n|---|---|---|\n{''.join(rows)}\n"


def _required(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return f"{parameter.opts[0]} {parameter.name.upper()}"
    return str(parameter.metavar) if parameter.required else f"[{parameter.metavar}]"


def _row(names: str, parameter: Any) -> str:
    default = "required" if parameter.required else _default(parameter.default)
    return f"| {names} | {default} | {parameter.help.replace('|', chr(92) + '|')} |\n"


def _default(value: object) -> str:
    return "" if value is None or value is False else f"`{value}`"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
