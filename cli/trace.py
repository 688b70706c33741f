"""`warmstart trace`: where the time of cold invocations went."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from cli.options import Json, Local, StageName
from cli.render import Output, escape
from cli.shell import Shell, shell
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from cli.stage import Log, LogEvent, Stage

RUNTIME: Final = "runtime"
PHASES: Final = (RUNTIME, "init", "resolve", "fetch", "session", "parse", "run", "render")
"""In the order in which they follow one another. The first is Lambda's: starting Python and what it loads before us."""

_WIDTH: Final = 40
_SINCE: Final = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400}
_INIT: Final = re.compile(r"REPORT RequestId: (\S+)\t.*\bInit Duration: ([0-9.]+) ms")


class Cold(NamedTuple):
    """An invocation that opened its model. `phases_ms` has those of `PHASES` that took any time, in order."""

    at_ms: int
    version: str
    request_id: str
    is_first: bool
    """Whether the execution environment was new, too."""
    phases_ms: Mapping[str, float]

    @property
    def total_ms(self) -> float:
        """All phases together."""
        return sum(self.phases_ms.values())


def command(
    context: typer.Context,
    ref: Annotated[
        str, typer.Argument(metavar="NAME", help="iris (all its versions), iris:3 or iris@canary (where it points).")
    ],
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="The latest so many.")] = 5,
    since: Annotated[str, typer.Option("--since", help="How far back: 30m, 6h or 7d.")] = "24h",
    stage: StageName = None,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Show where the time of a model's latest cold invocations went, phase by phase, from the function's log."""
    given, output = shell(context), Output.standard(as_json=as_json)
    start_s = given.clock() - _seconds(since)
    chosen = given.stage(stage, local=local)
    with output.working(f"reading the log of {ref}"):
        found = read(chosen.log(), _wanted(given, chosen, ref), start_s=start_s, limit=limit)
    if as_json:
        output.document({"invocations": [_document(cold) for cold in found], "median_ms": medians(found)})
    elif found:
        _print(output, ref, found)
    else:
        output.line(
            f"no cold invocation of {escape(ref)} found in the last {since}: ask it right after a deployment, after "
            "publishing a new version, or when nobody has for some minutes; --since looks further back"
        )


def read(log: Log, wanted: ModelRef, *, start_s: float, limit: int) -> list[Cold]:
    """Return the latest invocations that opened a model, oldest first. Raises: Unreachable, StoreDenied.

    `wanted` without a version is any; the time is in seconds since the epoch.
    """
    opened = _opened(log.events(_pattern(wanted), start_s=start_s), wanted)
    latest = sorted(heapq.nlargest(limit, opened))
    if not any(cold.is_first for cold in latest):
        return latest
    inits = _init_durations(log.events('"Init Duration"', start_s=min(cold.at_ms for cold in latest) / 1000))
    return [_with_runtime(cold, inits.get(cold.request_id, 0.0)) for cold in latest]


def medians(found: Iterable[Cold]) -> dict[str, float]:
    """Return each phase's median over the invocations that had it, in milliseconds."""
    spent: dict[str, list[float]] = {phase: [] for phase in PHASES}
    for cold in found:
        for phase, milliseconds in cold.phases_ms.items():
            spent[phase].append(milliseconds)
    return {phase: round(median(values), 3) for phase, values in spent.items() if values}


def _seconds(text: str) -> int:
    if (found := _SINCE.fullmatch(text)) is None:
        raise typer.BadParameter(f"expected minutes, hours or days, such as 30m, 6h or 7d; got {text!r}")
    return int(found[1]) * _SECONDS[found[2]]


def _wanted(given: Shell, stage: Stage, text: str) -> ModelRef:
    ref = ModelRef.parse(text)
    if "@" in text:
        return ModelRef.at(ref.name, given.registry(stage).resolve(ref).version)
    return ref


def _pattern(wanted: ModelRef) -> str:
    # CloudWatch Logs user guide, "Filter pattern syntax": what is not of the form is left there.
    version = f' && $.model_version = "{wanted.version}"' if wanted.version is not None else ""
    return f'{{ $.model = "{wanted.name}"{version} && ($.ModelCacheHit = 0 || $.cold_start IS TRUE) }}'


def _opened(events: Iterable[LogEvent], wanted: ModelRef) -> Iterator[Cold]:
    """Pick again: a log that cannot filter gives every line."""
    for event in events:
        line = _line(event.message)
        timing = line.get("timing_ms")
        if line.get("model") != wanted.name or not isinstance(timing, dict):
            continue
        version = str(line.get("model_version"))
        phases = {phase: float(timing[phase]) for phase in PHASES if isinstance(timing.get(phase), int | float)}
        if phases and wanted.version in (None, int(version) if version.isdecimal() else 0):
            request_id, is_first = str(line.get("function_request_id")), line.get("cold_start") is True
            yield Cold(event.timestamp_ms, version, request_id, is_first, phases)


def _line(message: str) -> dict[str, Any]:
    try:
        found = json.loads(message)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _init_durations(events: Iterable[LogEvent]) -> dict[str, float]:
    """Return how long Lambda's init phase took, in milliseconds by request id."""
    found = (_INIT.match(event.message) for event in events)
    return {match[1]: float(match[2]) for match in found if match}


def _with_runtime(cold: Cold, init_duration_ms: float) -> Cold:
    before_ms = round(init_duration_ms - cold.phases_ms.get("init", 0.0), 3)
    return cold._replace(phases_ms={RUNTIME: before_ms, **cold.phases_ms}) if before_ms > 0 else cold


def _document(cold: Cold) -> dict[str, Any]:
    return {
        "at": _time(cold).isoformat(timespec="milliseconds"),
        "version": cold.version,
        "request_id": cold.request_id,
        "new_environment": cold.is_first,
        "total_ms": round(cold.total_ms, 3),
        "phases_ms": dict(cold.phases_ms),
    }


def _time(cold: Cold) -> datetime:
    return datetime.fromtimestamp(cold.at_ms / 1000, UTC)


def _print(output: Output, ref: str, found: list[Cold]) -> None:
    name = ModelRef.parse(ref).name
    for cold in found:
        environment = "in a new environment" if cold.is_first else "in an environment that ran"
        title = f"{name}:{cold.version}  {_time(cold):%Y-%m-%d %H:%M:%S} UTC  {cold.total_ms:.1f} ms {environment}"
        output.line(f"{escape(title)}  [dim]{escape(cold.request_id)}[/dim]")
        for line in waterfall(cold.phases_ms):
            output.line(line)
        output.line("")
    counts = {phase: sum(phase in cold.phases_ms for cold in found) for phase in PHASES}
    rows = [(phase, f"{spent:.1f} ms", counts[phase]) for phase, spent in medians(found).items()]
    output.table(("phase", "median", "invocations"), rows, empty="")


def waterfall(phases_ms: Mapping[str, float]) -> list[str]:
    """Draw each phase as a bar that begins where the one before it ended."""
    total, before = sum(phases_ms.values()) or 1.0, 0.0
    lines = []
    for phase, spent in phases_ms.items():
        start = min(int(before / total * _WIDTH), _WIDTH - 1)
        before += spent
        bar = " " * start + "█" * max(1, round(before / total * _WIDTH) - start)
        lines.append(f"  {phase:<8} {bar:<{_WIDTH}} {spent:>9.1f} ms")
    return lines
