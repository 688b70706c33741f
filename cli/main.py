"""The `warmstart` command: one file per verb; this one names them and turns errors into exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import typer
from click.exceptions import ClickException, Exit

from cli import alias, doctor, layers, local, models, predict, publish, show
from cli.exit_codes import WRONG_USAGE, exit_code_of
from cli.render import Output
from warmstart import __version__
from warmstart.errors import WarmstartError

app: Final = typer.Typer(
    name="warmstart",
    help="A trained model behind an HTTPS endpoint in your own AWS account, or on this machine.",
    epilog="Exit codes: 0 done, 1 refused (the reason said), 2 wrong usage, 3 not reachable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for _verb in (publish, models, show, alias, predict, local, layers, doctor):
    app.command(_verb.__name__.rpartition(".")[2])(_verb.command)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", help="Say the version.", callback=_print_version, is_eager=True),
) -> None:
    """See `app`'s help."""


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command line with these environment variables, return the exit code that `cli.exit_codes` documents."""
    try:
        result = app(list(arguments), standalone_mode=False, obj=environ)
    except WarmstartError as error:
        Output.standard(as_json="--json" in arguments).error(error)
        return exit_code_of(error)
    except Exit as stop:
        return stop.exit_code
    except ClickException as error:
        error.show()
        return WRONG_USAGE
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return result if isinstance(result, int) else 0


def entry() -> None:
    """Enter from the command line."""
    sys.exit(run(sys.argv[1:], os.environ))
