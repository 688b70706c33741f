"""The least that can be written by hand: json, numpy, ONNX Runtime and boto3, no framework and no checks.

The model is loaded at import, as in AWS's own examples. It logs nothing, and takes one model and one kind of request.
"""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
import numpy as np
import onnxruntime as ort

MODEL = os.path.join(os.environ["TMPDIR"], "model.onnx")  # noqa: PTH118 - pathlib is not what is measured
boto3.client("s3").download_file(os.environ["WARMSTART_STORE_BUCKET"], os.environ["BENCHMARK_KEY"], MODEL)
session = ort.InferenceSession(MODEL)
names = [meta.name for meta in session.get_outputs()]

DTYPES = {"FP32": np.float32, "INT64": np.int64}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Run the model."""
    tensors = json.loads(event["body"])["inputs"]
    feeds = {t["name"]: np.array(t["data"], dtype=DTYPES[t["datatype"]]).reshape(t["shape"]) for t in tensors}
    outputs = [
        {"name": name, "shape": list(value.shape), "datatype": "FP32", "data": value.ravel().tolist()}
        for name, value in zip(names, session.run(None, feeds), strict=True)
    ]
    body = json.dumps({"outputs": outputs})
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}
