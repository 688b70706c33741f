"""`warmstart publish`: through the gate, then a new version of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.gate import sending, storing, watching
from cli.keys import SIGNING_KEY, check_signer, signer_named
from cli.options import Json, Local, StageName, StoreUrl
from cli.plan import plan_document, print_plan
from cli.render import Output, megabytes
from cli.shell import Shell, shell
from warmstart.refs import check_name

if TYPE_CHECKING:
    from model_store.gate import Examined, GateOptions, GateReport, Published, PublishPlan
    from model_store.objects import ObjectStore
    from model_store.signing.sign import Signer


_SOURCE = (
    "A model's file or folder (ONNX, scikit-learn, XGBoost, LightGBM, PyTorch, Keras, TensorFlow, MLflow, Hugging "
    "Face), an MLflow address (models:/iris/3, runs:/...), or package.module:factory."
)


def command(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=_SOURCE)],
    name: Annotated[str, typer.Option("--name", "-n", help="The model's name: a-z, 0-9 and '-'.")],
    sample: Annotated[
        Path | None, typer.Option("--sample", help="Rows to prove the model on: CSV, Parquet, JSON lines or npz.")
    ] = None,
    truth: Annotated[
        str | None, typer.Option("--truth", help="The sample's column with the right answers, for --max-drop.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Read formats that execute code (pickle, joblib, ...): you know the source.")
    ] = False,
    labels: Annotated[
        str | None, typer.Option("--labels", help="Class labels in the model's order: 'setosa,versicolor,virginica'.")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option("--tolerance", help="Largest difference from the source's answers, absolute and relative."),
    ] = None,
    quantize: Annotated[
        Literal["int8", "fp16"] | None, typer.Option("--quantize", help="Smaller numbers; needs --truth, --max-drop.")
    ] = None,
    max_drop: Annotated[
        list[str] | None,
        typer.Option(
            "--max-drop", metavar="METRIC=VALUE", help="How much worse it may be: accuracy, f1, r2, rmse, mae."
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", help="Sign with this private key: a PEM file, or awskms:ID; else WARMSTART_SIGNING_KEY."),
    ] = None,
    prices: Annotated[Path | None, typer.Option("--prices", help="A price table in the place of ours.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write the gate's report as an HTML page, also if it refuses.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="All but storing: print the plan, change nothing.")
    ] = False,
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Prove a model and publish it as its next version; `live` then points at it. Functions follow without a deploy."""
    from model_store.gate import GateOptions, plan_examined
    from model_store.gate.report import report_document
    from model_store.workplace import workplace

    given, output = shell(context), Output.standard(as_json=as_json)
    _check_report(report)
    chosen = given.stage(stage, local=local, store=store)
    objects = chosen.objects()
    named = key or given.environ.get(SIGNING_KEY)
    signer = signer_named(given, named) if named else None
    target = chosen.target()
    check_signer(signer, target)
    options = GateOptions(
        sample=sample,
        truth=truth,
        trust=trust,
        labels=parse_labels(labels),
        tolerance=tolerance,
        quantize=quantize,
        max_drop=parse_drops(max_drop or []),
        prices=prices,
        target=target,
    )
    with workplace() as folder:
        examined = _prove(given, output, source, check_name(name), folder, options, report)
        gate = report_document(examined.report)
        key_id = signer.public_key.key_id if signer else None
        plan = plan_examined(examined, name, objects, source=source, key_id=key_id)
        if dry_run:
            output.document(plan_document(plan) | {"gate": gate}) if as_json else print_plan(output, plan)
            return
        published = _store(given, output, plan, objects, signer)
    version, live = published.manifest.version, published.alias.version
    if as_json:
        output.document({"name": name, "version": version, "live": live, "gate": gate})
        return
    output.line(f"[bold green]{name}:{version}[/bold green] published, {megabytes(plan.size_bytes)}")
    if live != version:
        output.line(f"[yellow]live is {name}:{live}: somebody published a later version[/yellow]")


def _prove(
    given: Shell, output: Output, source: str, name: str, folder: Path, options: GateOptions, report: Path | None
) -> Examined:
    """Take the source through the gate, and write the page of it, also if it refuses."""
    from model_store.gate import GateRejected, examine

    try:
        with watching(output) as watch:
            examined = examine(source, name, folder, options, clock=given.clock, watch=watch)
    except GateRejected as error:
        _write_page(report, error.report)
        raise
    _write_page(report, examined.report)
    return examined


def _store(given: Shell, output: Output, plan: PublishPlan, objects: ObjectStore, signer: Signer | None) -> Published:
    from model_store.gate import apply

    with storing(output, plan) as on_step, sending(output, plan) as on_bytes:
        return apply(
            plan,
            objects,
            by=given.caller,
            clock=given.clock,
            new_id=given.new_id,
            signer=signer,
            on_step=on_step,
            on_bytes=on_bytes,
        )


def parse_labels(text: str | None) -> tuple[str | int, ...]:
    """Read labels from the command line: whole numbers if all are, else strings. Raises: typer.BadParameter."""
    if text is None:
        return ()
    labels = [label.strip() for label in text.split(",")]
    if not all(labels):
        raise typer.BadParameter(f"expected names separated by commas, got {text!r}", param_hint="--labels")
    if len(set(labels)) != len(labels):
        raise typer.BadParameter(f"expected each label once, got {text!r}", param_hint="--labels")
    return tuple(int(label) for label in labels) if all(map(str.isdecimal, labels)) else tuple(labels)


def parse_drops(texts: list[str]) -> dict[str, float]:
    """Read `METRIC=VALUE`, each metric once. Raises: typer.BadParameter."""
    drops: dict[str, float] = {}
    for text in texts:
        metric, _, value = text.partition("=")
        try:
            drop = float(value)
        except ValueError:
            drop = -1.0
        if not metric or metric in drops or not 0 <= drop < float("inf"):
            raise typer.BadParameter(
                f"expected METRIC=VALUE, 0 or more, each metric once; got {text!r}", param_hint="--max-drop"
            )
        drops[metric] = drop
    return drops


def _check_report(path: Path | None) -> None:
    """Refuse a page that could not be written before the gate takes its time. Raises: typer.BadParameter."""
    if path is not None and not path.parent.is_dir():
        raise typer.BadParameter(f"expected a file in a folder that is there, got {path}", param_hint="--report")


def _write_page(path: Path | None, report: GateReport) -> None:
    if path is not None:
        from model_store.gate.page import render_page

        path.write_text(render_page(report), encoding="utf-8", errors="backslashreplace")  # names of files are bytes
