"""The data plane in this very process, on moto's S3: no server, no deployment, milliseconds per test."""

from __future__ import annotations

import json
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from local.types import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from warmstart import environment
from warmstart.errors import Unreachable

if TYPE_CHECKING:
    from handlers.inference.data_plane import DataPlane
    from model_store.registry import Registry
    from model_store.s3 import S3Objects

BUCKET: Final = "warmstart-inprocess-store"


class InProcessAnswer(NamedTuple):
    """What the function returned, as API Gateway would send it on; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


class InProcess:
    """A store and the inference function's data plane over it.

    Publish into `objects` or `registry`; ask with `request`. An alias is read anew for each request. What API Gateway
    adds (keys, throttles, validators, limits) is not here: that is the `twin`.
    """

    def __init__(self, objects: S3Objects, registry: Registry, data_plane: DataPlane, log: list[str]) -> None:
        self.objects, self.registry, self.log = objects, registry, log
        self._data_plane = data_plane

    def request(self, method: str, path: str, body: object = None) -> InProcessAnswer:
        """Send a request; `body` is made JSON, unless it is text already."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        answer = self._data_plane.answer(proxy_event(method, path, text), request_id=str(uuid.uuid4()))
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        return InProcessAnswer(answer["statusCode"], headers, answer["body"])

    def predict(self, model: str, records: object) -> InProcessAnswer:
        """Send one record, or a list of them, to `/predict/{model}`."""
        return self.request("POST", f"/predict/{model}", records)

    def infer(self, model: str, inputs: list[dict[str, Any]]) -> InProcessAnswer:
        """Send tensors to `/v2/models/{model}/infer`."""
        return self.request("POST", f"/v2/models/{model}/infer", {"inputs": inputs})


def proxy_event(method: str, path: str, body: str | None) -> dict[str, Any]:
    """Return the event that API Gateway's Lambda proxy integration sends (REST API, payload format 1.0)."""
    parts = urlsplit(path)
    headers = {"content-type": "application/json"} if body is not None else {}
    query = dict(parse_qsl(parts.query))
    return {
        "resource": parts.path,
        "path": parts.path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"resourcePath": parts.path, "httpMethod": method, "path": f"/prod{parts.path}"},
        "body": body,
        "isBase64Encoded": False,
    }


@contextmanager
def start() -> Iterator[InProcess]:
    """Give a fresh store and data plane; moto's S3 is mocked as long as they live. Raises: Unreachable."""
    try:
        import boto3

        from handlers.inference.data_plane import build_data_plane
        from handlers.inference.settings import InferenceSettings
        from local.aws.mocked import mocked_s3
        from model_store.registry import Registry
        from model_store.s3 import S3Objects
    except ImportError as error:
        raise Unreachable(f"`inprocess` needs more packages ({error}); install warmstart[local]") from error
    log: list[str] = []
    with mocked_s3(), tempfile.TemporaryDirectory(prefix="warmstart-inprocess-") as scratch:
        s3 = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION).client("s3")
        s3.create_bucket(Bucket=BUCKET)
        objects = S3Objects(BUCKET, s3)
        settings = InferenceSettings.from_env(
            {
                environment.STORE_BUCKET: BUCKET,
                environment.REGION: REGION,
                environment.ACCESS_KEY_ID: ACCESS_KEY_ID,
                environment.SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
                environment.ALIAS_TTL_S: "0",
                environment.MODELS_DIR: str(Path(scratch) / "opt"),
                environment.TMPDIR: scratch,
            }
        )
        registry = Registry(objects, clock=time.time, new_id=lambda: uuid.uuid4().hex[:8])
        data_plane = build_data_plane(settings, objects, write=lambda line: log.append(line.decode()))
        yield InProcess(objects, registry, data_plane, log)
