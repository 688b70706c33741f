"""Writes docs/settings.md from the settings themselves: `python -m infra.settings_doc`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from infra.config import defaults, settings
from infra.settings import Setting

PATH: Final = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

_HEAD: Final = """\
# Settings of a stage

<!-- Made by `python -m infra.settings_doc`; a test keeps it current. -->

A stage is one deployment of Warmstart: its own store, its own endpoint. `cdk deploy --all` needs none of these.
They are kept in `cdk.json`, per stage:

    "context": {
      "stages": {
        "prod": {},
        "dev": {"memory_mb": 1024, "log_retention_days": 7}
      }
    }

`cdk deploy --all -c stage=dev` chooses a stage, and `-c memory_mb=3008` overrides one setting for one command.
A value that is not allowed, and a name that is none of these, is refused before anything is deployed:

    warmstart: memory_mb: expected 128 to 10240 (MB); got '64'
    warmstart: memry_mb: no such setting; did you mean 'memory_mb'?

| setting | type | unit | default | allowed | what it does |
|---|---|---|---|---|---|
"""

_FOOT: Final = """
On the command line a list is one string with commas (`-c baked_models=iris:3,digits:1`), and `none` is no value.
"""


def render() -> str:
    """Return the document."""
    values = defaults()
    return _HEAD + "".join(_row(name, what, values[name]) for name, what in settings().items()) + _FOOT


def _row(name: str, what: Setting, default: object) -> str:
    says = f"{what.says} [AWS]({what.page})" if what.page else what.says
    return f"| `{name}` | {what.kind.name} | {what.unit} | {_value(default)} | {what.kind.allowed} | {says} |\n"


def _value(default: object) -> str:
    if default is None:
        return "none"
    if default == ():
        return "empty"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


if __name__ == "__main__":
    PATH.write_text(render())
