"""Step 3: whether the graph is one that the pinned runtime serves."""

from __future__ import annotations

from model_store.convert.source import Converted
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.onnx_source import read_onnx
from model_store.gate.steps import GateOptions, Outcome
from model_store.manifest import RunOptions


def check(converted: Converted, options: GateOptions) -> Outcome[Candidate]:
    """Read the graph and see that ONNX Runtime loads it. Raises: UnsupportedModel."""
    source = read_onnx(converted.graph)
    layout = Layout(source.files, RunOptions(extensions=converted.extensions))
    candidate = Candidate(
        signature=source.signature,
        layout=layout,
        labels=options.labels or converted.labels,
        preprocessing=converted.preprocessing,
    )
    inputs, outputs = (", ".join(map(str, specs)) for specs in source.signature)
    return Outcome(candidate, f"{inputs} → {outputs}", {"size_bytes": layout.size_bytes})
