"""`warmstart local`: the whole stack on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ReadyFile
from cli.shell import shell
from cli.stage import ready_file as default_ready_file


def command(
    context: typer.Context,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The gateway's port; 0 takes a free one.")
    ] = 8080,
    ready_file: ReadyFile = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Keep what is published in this folder, over restarts.")
    ] = None,
) -> int:
    """Deploy the stack to the local twin and keep it running until Ctrl-C. No Docker, no AWS account."""
    from local.twin import run

    return run(port=port, ready_file=ready_file or default_ready_file(shell(context).environ), data=data)
