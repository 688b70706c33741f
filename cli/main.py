"""The `warmstart` command: one file per verb; this one names them and turns errors into exit codes."""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import typer

from cli import (
    alias,
    copy,
    diff,
    doctor,
    history,
    keys,
    layers,
    local,
    models,
    predict,
    prune,
    publish,
    rollback,
    serve,
    show,
    smoke,
    tags,
    trace,
    verify,
)
from cli.exit_codes import DONE, INTERRUPTED, REFUSED, WRONG_USAGE, exit_code_of
from cli.remedies import remedy_of
from cli.render import Output
from cli.shell import Shell
from cli.stage import Choose, choose
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
VERBS: Final = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        publish,
        keys,
        models,
        show,
        diff,
        history,
        tags,
        alias,
        rollback,
        copy,
        verify,
        prune,
        predict,
        smoke,
        trace,
        local,
        serve,
        layers,
        doctor,
    )
}
for _name, _verb in VERBS.items():
    app.command(_name)(_verb.command)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", help="Say the version.", callback=_print_version, is_eager=True),
) -> None:
    """See `app`'s help."""


def run(arguments: Sequence[str], environ: Mapping[str, str], *, choose: Choose = choose) -> int:
    """Run one command line with these environment variables, return the exit code that `cli.exit_codes` documents.

    `choose` finds the stage that the verbs work on.
    """
    output = Output.standard(as_json="--json" in arguments)
    try:
        with ExitStack() as closing:
            shell = Shell(environ, closing, choose)
            result = app(list(arguments), prog_name="warmstart", standalone_mode=False, obj=shell)
    except WarmstartError as error:
        output.error(error.code, error.message, remedy_of(error))
        return exit_code_of(error)
    except typer.TyperException as error:
        if message := error.format_message():  # without one, the help has just been printed
            output.error("wrong_usage", message, f"`{_command(arguments)} --help` says how")
        return WRONG_USAGE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except OSError as error:  # this machine refuses: no permission, disk full
        reason = ": ".join(filter(None, (str(error.filename or ""), error.strerror or str(error))))
        output.error("system", reason, _remedy_of_system(error))
        return REFUSED
    return result if isinstance(result, int) else DONE


def _remedy_of_system(error: OSError) -> str:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return ""
    return f"make room; files that are needed for a while go to {tempfile.gettempdir()}: TMPDIR names another folder"


def _command(arguments: Sequence[str]) -> str:
    return " ".join(["warmstart", *(argument for argument in arguments[:1] if argument in VERBS)])


def entry() -> None:
    """Enter from the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no arrows gets question marks, not a traceback
    sys.exit(run(sys.argv[1:], os.environ))
