"""Step 5: the layout that loads and runs fastest, by measurement; smaller numbers if asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch
from model_store.gate.candidate import Candidate
from model_store.gate.steps import GateOptions, Outcome


def optimise(
    candidate: Candidate, inputs: Batch, truth: NDArray[np.generic] | None, options: GateOptions, folder: Path
) -> Outcome[Candidate]:
    """Choose the layout by measurement; `folder` does not exist yet, and what is new is written there.

    Raises: Rejected if a quantized model loses more than `options.max_drop`.
    """
    return Outcome(candidate, "as converted")
