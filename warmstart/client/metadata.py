"""What an endpoint says of itself and of its models."""

from __future__ import annotations

from typing import Final, NamedTuple

from warmstart.client.answers import Answer, Json, foreign
from warmstart.datatypes import DATATYPES
from warmstart.refs import ModelRef
from warmstart.tensors import TensorSpec

BINARY_EXTENSION: Final = "binary_tensor_data"
"""Its name in the server's metadata (triton-inference-server/server, docs/protocol/extension_binary_data.md)."""


class Model(NamedTuple):
    """A model as it was described: the version that the reference meant then, and its inputs."""

    ref: ModelRef
    version: int | None
    inputs: tuple[TensorSpec, ...]


def parse_model(ref: ModelRef, answer: Answer, endpoint: str) -> Model:
    """Read `$metadata_model_response`. Raises: Unreachable."""
    try:
        inputs = tuple(_spec(item) for item in answer.body["inputs"])
    except (TypeError, KeyError, ValueError) as error:
        raise foreign(endpoint, f"the metadata of {ref}", answer.body) from error
    return Model(ref, answer.model_version, inputs)


def _spec(item: Json) -> TensorSpec:
    name, datatype = str(item["name"]), DATATYPES[item["datatype"]].name
    return TensorSpec(name, datatype, tuple(int(size) for size in item["shape"]))


def reads_binary(answer: Answer, endpoint: str) -> bool:
    """Read from `$metadata_server_response` whether tensors may come as bytes. Raises: Unreachable."""
    try:
        return BINARY_EXTENSION in answer.body["extensions"]
    except (TypeError, KeyError) as error:
        raise foreign(endpoint, "the server's metadata", answer.body) from error
