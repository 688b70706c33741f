"""`warmstart smoke`: ask the endpoint what a version was published with, and compare the answers."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from cli.exit_codes import DONE, REFUSED
from cli.options import Json, Local, Ref, StageName
from cli.render import Output, escape
from cli.shell import shell
from warmstart.errors import UnsupportedModel
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from cli.stage import Predictor
    from model_store.gate.golden import GoldenExample


class Tried(NamedTuple):
    """What one golden example showed: how long its answer took, and every difference in words."""

    milliseconds: float
    problems: tuple[str, ...]


def command(
    context: typer.Context, ref: Ref, stage: StageName = None, local: Local = False, as_json: Json = False
) -> int:
    """Send a version's golden examples to the endpoint and compare: after a deploy, or to warm it up."""
    from model_store.gate.golden import parse_golden
    from model_store.keys import GOLDEN

    given, output = shell(context), Output.standard(as_json=as_json)
    chosen = given.stage(stage, local=local)
    registry = given.registry(chosen)
    manifest = registry.resolve(ModelRef.parse(ref))
    exact = ModelRef(manifest.name, manifest.version, None)
    body = registry.document(manifest, GOLDEN)
    if body is None:
        raise UnsupportedModel(f"{exact}: it has no golden examples; publish it again, with a --sample")
    client = chosen.client()
    with output.working(f"asking {exact}"):
        tried = [_try(client, exact, example) for example in parse_golden(body, where=f"{exact} {GOLDEN}")]
    if as_json:
        output.document(_document(exact, tried))
    else:
        _print(output, exact, tried)
    return REFUSED if any(each.problems for each in tried) else DONE


def _try(client: Predictor, ref: ModelRef, example: GoldenExample) -> Tried:
    from warmstart.client import RequestRefused

    started = time.perf_counter()
    try:
        body = client.infer(ref, json.loads(example.request())).body
        problems = example.check(json.dumps(body).encode())
    except RequestRefused as error:
        problems = (error.message,)
    return Tried(round((time.perf_counter() - started) * 1000, 1), problems)


def _document(ref: ModelRef, tried: list[Tried]) -> dict[str, Any]:
    examples = [{"milliseconds": each.milliseconds, "problems": list(each.problems)} for each in tried]
    return {"name": ref.name, "version": ref.version, "examples": examples}


def _print(output: Output, ref: ModelRef, tried: list[Tried]) -> None:
    wrong = [problem for each in tried for problem in each.problems]
    times = [each.milliseconds for each in tried]
    took = f"first {times[0]:.0f} ms, best {min(times):.0f} ms" if times else "none to try"
    if not wrong:
        output.line(f"[green]ok[/green]  {ref}  {_count(len(tried))}, {took}")
        return
    failed = sum(1 for each in tried if each.problems)
    output.line(f"[red]no[/red]  {ref}  {failed} of {_count(len(tried))}, {took}")
    for problem in wrong:
        output.line(f"      {escape(problem)}")


def _count(examples: int) -> str:
    return "1 golden example" if examples == 1 else f"{examples} golden examples"
