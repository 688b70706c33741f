"""The `warmstart` command: one file per verb; this one names them and turns errors into exit codes."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Final

import typer

from cli.exit_codes import DONE, INTERRUPTED, REFUSED, WRONG_USAGE, exit_code_of
from cli.light import LightCommand
from cli.remedies import remedy_of
from cli.shell import Shell
from cli.stage import Choose, choose
from warmstart import __version__
from warmstart.errors import WarmstartError

if TYPE_CHECKING:
    from cli.render import Output

VERBS: Final = (
    "publish", "keys", "models", "show", "diff", "history", "tags", "alias", "rollback", "copy", "verify", "prune",
    "predict", "smoke", "trace", "local", "serve", "layers", "doctor",
)  # fmt: skip
"""In the order in which the help lists them; each is a file of this folder."""


def app(verbs: Iterable[str] = VERBS) -> typer.Typer:
    """Make the command. With one verb alone, only what it needs is imported, and the command is that verb."""
    made = typer.Typer(
        name="warmstart",
        help="A trained model behind an HTTPS endpoint in your own AWS account, or on this machine.",
        epilog="Exit codes: 0 done, 1 refused (the reason said), 2 wrong usage, 3 not reachable.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    named = tuple(verbs)
    if len(named) > 1:
        made.callback()(root)
    for verb in named:
        made.command(verb, cls=LightCommand if verb == "serve" else None)(import_module(f"cli.{verb}").command)
    return made


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


def root(
    version: bool = typer.Option(False, "--version", help="Say the version.", callback=_print_version, is_eager=True),
) -> None:
    """See `app`'s help."""


def run(arguments: Sequence[str], environ: Mapping[str, str], *, choose: Choose = choose) -> int:
    """Run one command line with these environment variables, return the exit code that `cli.exit_codes` documents.

    `choose` finds the stage that the verbs work on.
    """
    named = _named(arguments)
    try:
        with ExitStack() as closing:
            shell = Shell(environ, closing, choose)
            command = app(named or VERBS)
            result = command(arguments[len(named) :], prog_name=_program(named), standalone_mode=False, obj=shell)
    except WarmstartError as error:
        _output(arguments).error(error.code, error.message, remedy_of(error))
        return exit_code_of(error)
    except typer.TyperException as error:
        if message := error.format_message():  # without one, the help has just been printed
            _output(arguments).error("wrong_usage", message, f"`{_program(named)} --help` says how")
        return WRONG_USAGE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except OSError as error:  # this machine refuses: no permission, disk full
        reason = ": ".join(filter(None, (str(error.filename or ""), error.strerror or str(error))))
        _output(arguments).error("system", reason, _remedy_of_system(error))
        return REFUSED
    return result if isinstance(result, int) else DONE


def _remedy_of_system(error: OSError) -> str:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return ""
    import tempfile  # not for who has nothing to say

    return f"make room; files that are needed for a while go to {tempfile.gettempdir()}: TMPDIR names another folder"


def _named(arguments: Sequence[str]) -> list[str]:
    """Return the verb that a command line begins with, none if it begins otherwise."""
    return [argument for argument in arguments[:1] if argument in VERBS]


def _program(named: Sequence[str]) -> str:
    return " ".join(["warmstart", *named])


def _output(arguments: Sequence[str]) -> Output:
    from cli.render import Output  # not for who has nothing to say

    return Output.standard(as_json="--json" in arguments)


def entry() -> None:
    """Enter from the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no arrows gets question marks, not a traceback
    sys.exit(run(sys.argv[1:], os.environ))
