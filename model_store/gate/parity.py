"""Step 4: whether the converted model answers as the source does."""

from __future__ import annotations

from typing import NamedTuple

from model_store.convert.source import Batch
from model_store.gate.candidate import Candidate, open_session, run
from model_store.gate.sample import cast
from model_store.gate.steps import GateOptions, Outcome


class Answers(NamedTuple):
    """What the source and the converted model answered, by output."""

    expected: Batch
    got: Batch


def parity(expected: Batch, candidate: Candidate, inputs: Batch, options: GateOptions) -> Outcome[Answers]:
    """Compare the source's answers with the candidate's on the same rows, variants that this machine can run included.

    `inputs` are as `arrange` gives them. Raises: Rejected, with the worst row.
    """
    session = open_session(candidate.layout)
    got = run(session, cast(inputs, candidate.signature.inputs))
    return Outcome(Answers(expected, got), "not compared yet")
