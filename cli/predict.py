"""`warmstart predict`: ask a deployed model."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import Json, Local, Ref, StageName
from cli.render import Output, brief, escape
from cli.shell import shell
from warmstart.refs import ModelRef


def command(
    context: typer.Context,
    ref: Ref,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="""One record or a list of them: '{"age": 3, ...}', or '[5.1, 3.5]'."""),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The same in a file; - is standard input.")] = None,
    stage: StageName = None,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Predict over HTTP, as any client would."""
    parsed = ModelRef.parse(ref)
    records = _records(data, file)
    answer = shell(context).stage(stage, local=local).client().predict(parsed, records)
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document(answer.body)
        return
    _print(output, answer.body["predictions"])
    version = parsed.name if answer.model_version is None else f"{parsed.name}:{answer.model_version}"
    output.line(f"[dim]{escape(version)}, request {escape(answer.request_id)}[/dim]")


def _print(output: Output, predictions: Sequence[dict[str, Any]]) -> None:
    columns = list(predictions[0]) if predictions else []
    output.table(columns, ([brief(row[column]) for column in columns] for row in predictions), empty="no records")


def _records(data: str | None, file: Path | None) -> Any:
    """Read the records from where the command line says. Raises: typer.BadParameter."""
    if data is not None and file is None:
        return _parse(data, "--data")
    if file is not None and data is None:
        return _parse(_read(file), "--file")
    raise typer.BadParameter("expected either --data or --file")


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--file") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file}: expected UTF-8, got {error}", param_hint="--file") from error


def _parse(text: str, option: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(
            f"""expected JSON, such as '{{"age": 3}}'; got {text[:80]!r}: {error}""", param_hint=option
        ) from error


def _refuse(constant: str) -> float:
    raise ValueError(f"JSON has no {constant}")
