"""KServe's own REST client, unmodified, against `warmstart serve` and the twin, in both versions of its protocol."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from kserve import InferInput, InferRequest, InferResponse
from kserve.inference_client import InferenceRESTClient, RESTConfig

from tests.clients.conftest import Endpoints


def ask(protocol: str, verb: str, *arguments: Any, **options: Any) -> Any:
    """Call one of the client's coroutines, on a connection that is closed after it."""

    async def asked() -> Any:
        client = InferenceRESTClient(RESTConfig(protocol=protocol, timeout=30, verify=False))
        try:
            return await getattr(client, verb)(*arguments, **options)
        finally:
            await client.close()

    return asyncio.run(asked())


def test_the_server_and_a_model_are_ready(served: Endpoints) -> None:
    assert ask("v2", "is_server_ready", served.http, headers=served.headers)
    assert ask("v2", "is_server_live", served.http, headers=served.headers)
    assert ask("v2", "is_model_ready", served.http, "doubler", headers=served.headers)


@pytest.mark.parametrize("binary", [True, False], ids=["bytes", "JSON"])
def test_the_second_protocol_infers(served: Endpoints, binary: bool) -> None:
    given = InferInput("x", [1, 2], "FP32")
    given.set_data_from_numpy(np.array([[1, 2.5]], np.float32), binary_data=binary)
    request = InferRequest(model_name="doubler", infer_inputs=[given], request_id="7")
    answer = ask("v2", "infer", served.http, request, model_name="doubler", headers=served.headers)

    assert isinstance(answer, InferResponse)
    assert (answer.id, answer.model_name) == ("7", "doubler")
    assert answer.outputs[0].as_numpy().tolist() == [[3.0, 7.5]]


def test_the_first_protocol_predicts_rows(served: Endpoints) -> None:
    asked = {"instances": [{"a": 1, "b": 10}, {"a": 2, "b": 20}]}
    answer = ask("v1", "infer", served.http, asked, model_name="adder", headers=served.headers)

    assert answer == {"predictions": [[11.0], [22.0]]}


def test_an_unknown_model_is_an_error_of_the_clients_own(served: Endpoints) -> None:
    with pytest.raises(Exception, match=r"404|nothing of this name"):
        ask("v1", "infer", served.http, {"instances": [1]}, model_name="nothing", headers=served.headers)
