"""Step 6: whether it will work in the function that is going to serve it, how fast, and at what price."""

from __future__ import annotations

from model_store.convert.source import Batch
from model_store.gate.candidate import Candidate
from model_store.gate.steps import GateOptions, Outcome


def forecast(candidate: Candidate, inputs: Batch, options: GateOptions) -> Outcome[None]:
    """Measure here, reckon for `options.target`.

    Raises: Rejected for what cannot work there, with the setting that would make it work.
    """
    return Outcome(None, "no forecast yet")
