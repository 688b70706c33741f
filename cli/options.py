"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StageName = Annotated[str | None, typer.Option("--stage", help="The deployed stage; else WARMSTART_STAGE, else prod.")]
Local = Annotated[
    bool, typer.Option("--local", help="The local twin that runs now, not AWS; also by WARMSTART_LOCAL=1.")
]
StoreUrl = Annotated[
    str | None, typer.Option("--store", help="This store, not a stage's: s3://bucket/prefix or file:///path.")
]
TrustKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--public-key", metavar="KEY", help="Check signatures: a public key's file, or its base64. Repeatable."
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The model.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, errors too.")]
ReadyFile = Annotated[
    Path | None,
    typer.Option(
        "--ready-file",
        help="Where the twin says, in JSON, where it is; else WARMSTART_READY_FILE, else .warmstart/twin.json.",
    ),
]
Ref = Annotated[str, typer.Argument(metavar="REF", help="iris (its alias live), iris:3 or iris@canary.")]

__all__ = ["Json", "Local", "Name", "ReadyFile", "Ref", "StageName", "StoreUrl", "TrustKeys"]
