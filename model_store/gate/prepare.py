"""A candidate as clients see it: its graph takes numbers, and what is declared before it takes text or images.

The steps that work on the graph alone (check, optimise) have the graph's own candidate and its feeds; the others, and
the store, have the one that `Preparation.candidate` makes of it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from model_store.convert.source import Batch, lacks
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.sample import cast
from model_store.preprocessing.session import Preprocessing, open_preprocessing
from warmstart.tensors import Signature


class Preparation:
    """What a converted model declares, by files that lie in one folder; without files there is nothing to do."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        """Read it. Raises: InvalidManifest, Unreachable if a package is missing."""
        self._files = tuple((path.name, path) for path in files)
        self._before = _open(files[0].parent) if files else None

    def candidate(self, graph: Candidate) -> Candidate:
        """Give a graph's candidate the signature that clients see, and the files to all of its layouts."""
        if self._before is None:
            return graph
        outputs = (*graph.signature.outputs, *self._before.outputs)
        return replace(
            graph,
            signature=Signature(self._before.inputs, outputs),
            layout=self._layout(graph.layout),
            variants={processor: self._layout(layout) for processor, layout in graph.variants.items()},
        )

    def feeds(self, inputs: Batch) -> Batch:
        """Compute what the graph gets. Raises: InvalidSample, InvalidValue."""
        if self._before is None:
            return inputs
        prepared = self._before.apply(cast(inputs, self._before.inputs))
        return {name: prepared[name] for name in self._before.feeds}

    def _layout(self, layout: Layout) -> Layout:
        return Layout((*layout.files, *self._files), layout.run._replace(preprocess=True))


def _open(folder: Path) -> Preprocessing:
    try:
        return open_preprocessing(folder)
    except ImportError as error:
        raise lacks(error, "huggingface") from error
