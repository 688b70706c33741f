"""The handler that tutorials write: FastAPI, Mangum, boto3, a pydantic body, the model loaded at import.

After AWS's and FastAPI's own examples of the kind: `s3.download_file` to /tmp, `InferenceSession`, `Mangum(app)`.
"""

from __future__ import annotations

import os
from typing import Any

import boto3
import numpy as np
import onnxruntime as ort
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

MODEL = os.path.join(os.environ["TMPDIR"], "model.onnx")  # noqa: PTH118 - as they write it
boto3.client("s3").download_file(os.environ["WARMSTART_STORE_BUCKET"], os.environ["BENCHMARK_KEY"], MODEL)
session = ort.InferenceSession(MODEL)

app = FastAPI()

DTYPES = {"FP32": np.float32, "INT64": np.int64}


class Tensor(BaseModel):
    """One input."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Request(BaseModel):
    """The body."""

    inputs: list[Tensor]


@app.post("/v2/models/{model}/infer")
def infer(model: str, request: Request) -> dict[str, Any]:
    """Run the model."""
    feeds = {t.name: np.array(t.data, dtype=DTYPES[t.datatype]).reshape(t.shape) for t in request.inputs}
    results = session.run(None, feeds)
    outputs = [
        {"name": meta.name, "shape": list(value.shape), "datatype": "FP32", "data": value.ravel().tolist()}
        for meta, value in zip(session.get_outputs(), results, strict=True)
    ]
    return {"model_name": model, "outputs": outputs}


handler = Mangum(app, lifespan="off")
