"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.stage import READY_FILE

StageName = Annotated[str, typer.Option("--stage", help="The deployed stage.", envvar="WARMSTART_STAGE")]
Local = Annotated[
    bool, typer.Option("--local", help="The local twin that runs now, not AWS.", envvar="WARMSTART_LOCAL")
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
ReadyFile = Annotated[Path, typer.Option("--ready-file", help="Where the twin says, in JSON, where it is.")]
Ref = Annotated[str, typer.Argument(metavar="REF", help="iris (its alias live), iris:3 or iris@canary.")]

__all__ = ["READY_FILE", "Json", "Local", "ReadyFile", "Ref", "StageName"]
