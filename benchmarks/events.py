"""The request that every handler gets: an inference request inside an API Gateway proxy event."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from benchmarks.models import sample
from warmstart.datatypes import from_numpy


def proxy_event(model: str, *, rows: int = 1, binary: bool = False) -> dict[str, Any]:
    """Return the event of one OIP V2 inference request on a reference model, its tensors as JSON or as binary data."""
    inputs: list[dict[str, Any]] = []
    data = b""
    for name, tensor in sample(model).items():
        repeated = tensor.repeat(rows, axis=0)
        datatype = from_numpy(tensor.dtype.name)
        assert datatype is not None
        values: dict[str, Any] = {"data": repeated.ravel().tolist()}
        if binary:
            values = {"parameters": {"binary_data_size": repeated.nbytes}}
            data += repeated.tobytes()
        inputs.append({"name": name, "shape": list(repeated.shape), "datatype": datatype.name, **values})
    asked: dict[str, Any] = {"id": "1", "inputs": inputs}
    if binary:
        asked["parameters"] = {"binary_data_output": True}
    body = json.dumps(asked)
    path = f"/v2/models/{model}/infer"
    headers = {"Content-Type": "application/json", "Host": "example.execute-api.us-east-1.amazonaws.com"}
    if binary:
        headers |= {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(body))}
        body = b64encode(body.encode() + data).decode()
    return {
        "resource": "/v2/models/{model}/infer",
        "path": path,
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"model": model},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/v2/models/{model}/infer",
            "httpMethod": "POST",
            "path": f"/prod{path}",
            "stage": "prod",
            "protocol": "HTTP/1.1",
            "accountId": "123456789012",
            "apiId": "example",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "benchmark", "apiKey": "key", "apiKeyId": "id"},
        },
        "body": body,
        "isBase64Encoded": binary,
    }
