"""`warmstart predict`: ask a deployed model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Json, Local, Ref, StageName
from cli.render import Output
from cli.stage import choose
from warmstart import stacks
from warmstart.client import Json as Document
from warmstart.errors import MalformedBody
from warmstart.refs import ModelRef


def command(
    context: typer.Context,
    ref: Ref,
    records: Annotated[
        str | None, typer.Option("--data", "-d", help="""One record or a list of them: '{"age": 3, ...}'.""")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The same in a file; - is standard input.")] = None,
    stage: StageName = stacks.DEFAULT_STAGE,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Predict over HTTP, as any client would."""
    if (records is None) == (file is None):
        raise typer.BadParameter("expected either --data or --file")
    text = records if records is not None else _read(file)
    client = choose(stage, local=local, environ=context.obj).client()
    answer = client.predict(ModelRef.parse(ref), _parse(text))
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document(answer.body)
        return
    predictions = answer.body["predictions"]
    columns = list(predictions[0]) if predictions else ["prediction"]
    output.table(columns, ([row[column] for column in columns] for row in predictions), empty="no records")
    output.line(f"[dim]{ref} version {answer.model_version}, request {answer.request_id}[/dim]")


def _read(file: Path | None) -> str:
    if file is None or str(file) == "-":
        return sys.stdin.read()
    return file.read_text()


def _parse(text: str) -> Document:
    try:
        return json.loads(text)
    except ValueError as error:
        raise MalformedBody(f"records: expected JSON, such as '{{\"age\": 3}}': {error}") from error
