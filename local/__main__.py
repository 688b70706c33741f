"""`python -m local`: a twin until Ctrl-C; what `warmstart local` runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.deploy import APP
from local.twin import run


def main() -> int:
    """Read the command line and run a twin. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description="Run the whole stack on this machine.")
    parser.add_argument("--port", type=int, default=0, help="the gateway's port; 0, the default, takes a free one")
    parser.add_argument("--ready-file", type=Path, help="written when all is up: where everything is, in JSON")
    parser.add_argument("--data", type=Path, help="keep what is published in this folder, over restarts")
    parser.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE", help="a stage's setting")
    parser.add_argument("--app", default=APP, help="the command that synthesizes the stacks")
    arguments = parser.parse_args()
    return run(
        port=arguments.port,
        ready_file=arguments.ready_file,
        data=arguments.data,
        context=dict(setting.split("=", 1) for setting in arguments.context),
        app=arguments.app,
    )


if __name__ == "__main__":
    sys.exit(main())
