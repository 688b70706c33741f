"""The request that every handler gets: an inference request inside an API Gateway proxy event."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.models import sample
from warmstart.datatypes import from_numpy


def proxy_event(model: str, *, rows: int = 1) -> dict[str, Any]:
    """Return the event of one OIP V2 inference request on a reference model."""
    inputs = []
    for name, tensor in sample(model).items():
        repeated = tensor.repeat(rows, axis=0)
        datatype = from_numpy(tensor.dtype.name)
        assert datatype is not None
        inputs.append(
            {
                "name": name,
                "shape": list(repeated.shape),
                "datatype": datatype.name,
                "data": repeated.ravel().tolist(),
            }
        )
    path = f"/v2/models/{model}/infer"
    headers = {"Content-Type": "application/json", "Host": "example.execute-api.us-east-1.amazonaws.com"}
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
        "body": json.dumps({"id": "1", "inputs": inputs}),
        "isBase64Encoded": False,
    }
