"""The command line on a stage in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from cli.main import run
from cli.stage import LogEvent
from model_store.gate.steps import Target
from model_store.memory import MemoryObjects
from model_store.objects import ObjectStore
from warmstart.client import Answer
from warmstart.errors import WarmstartError
from warmstart.refs import ModelRef

ENVIRON: Mapping[str, str] = MappingProxyType({"USER": "ada"})


class Asked(NamedTuple):
    """A prediction that was asked for."""

    ref: str
    records: Any


class Predictor:
    """Answers every prediction with the same, or with an error; keeps what was asked."""

    def __init__(self, answer: Answer | WarmstartError) -> None:
        self.answer = answer
        self.asked: list[Asked] = []

    def predict(self, ref: ModelRef, records: Any) -> Answer:
        return self._answer(str(ref), records)

    def infer(self, ref: ModelRef, request: Mapping[str, Any]) -> Answer:
        return self._answer(str(ref), request)

    def _answer(self, ref: str, sent: Any) -> Answer:
        self.asked.append(Asked(ref, sent))
        if isinstance(self.answer, WarmstartError):
            raise self.answer
        return self.answer


class MemoryLog:
    """A log that cannot filter; keeps the patterns that were asked for, and since when."""

    def __init__(self) -> None:
        self.lines: list[LogEvent] = []
        self.asked: list[tuple[str, float]] = []

    def events(self, pattern: str, *, start_s: float) -> Iterator[LogEvent]:
        self.asked.append((pattern, start_s))
        return (line for line in self.lines if line.timestamp_ms >= start_s * 1000)


class MemoryStage:
    """A stage whose store is in memory and whose endpoint answers what it was told to."""

    def __init__(self) -> None:
        self.store: ObjectStore = MemoryObjects()
        self.predictor = Predictor(Answer({"predictions": []}, 1, "r-1"))
        self.serves = Target()
        self.written = MemoryLog()
        self.is_closed = False

    def objects(self) -> ObjectStore:
        return self.store

    def target(self) -> Target:
        return self.serves

    def client(self) -> Predictor:
        return self.predictor

    def log(self) -> MemoryLog:
        return self.written

    def close(self) -> None:
        self.is_closed = True


class Ran(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """Standard output, line by line."""
        return self.out.splitlines()


class CommandLine:
    """Runs `warmstart` in this process; `chosen` are the stages that it looked for: (name, local)."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.stage = MemoryStage()
        self.chosen: list[tuple[str, bool]] = []
        self._capsys = capsys

    def __call__(self, *arguments: str, environ: Mapping[str, str] = ENVIRON) -> Ran:
        self._capsys.readouterr()
        code = run(arguments, environ, choose=self._choose)
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def _choose(self, name: str, *, local: bool, environ: Mapping[str, str]) -> MemoryStage:  # noqa: ARG002
        self.chosen.append((name, local))
        return self.stage
