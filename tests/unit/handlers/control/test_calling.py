"""The snippets of docs/control-plane.md, run as they stand against the control plane behind the twin's gateway."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from local.gateway.gateway import Gateway
from local.gateway.server import serve
from local.types import Invocation
from tests.build.control_plane import Context, ControlPlane
from tests.build.gateway import api, proxy, route

DOCS: Final = Path(__file__).resolve().parents[4] / "docs" / "control-plane.md"
EXAMPLE: Final = "https://abc123.execute-api.us-east-1.amazonaws.com/prod/admin"


class InThisProcess:
    """Invokes the control plane as one execution environment would: one request at a time, on one event loop."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane, self._turn = plane, threading.Lock()

    def __call__(self, function: str, payload: bytes, *, qualifier: str | None = None) -> Invocation:
        del function, qualifier
        with self._turn:
            asyncio.set_event_loop(self._plane.loop)
            answer = self._plane.handler(json.loads(payload), Context())
            asyncio.set_event_loop(None)
        return Invocation(
            payload=json.dumps(answer).encode(),
            function_error=None,
            executed_version="1",
            request_id=Context().aws_request_id,
        )


@pytest.fixture
def admin(plane: ControlPlane) -> Iterator[str]:
    """Give the address of the control plane behind a gateway that checks signatures."""
    signed = proxy(authorization="AWS_IAM")
    deployed = api(route("/admin", signed), route("/admin/{proxy+}", signed))
    server = serve(Gateway((deployed,), invoke=InThisProcess(plane)))
    try:
        yield f"http://127.0.0.1:{server.port}/prod/admin"
    finally:
        server.close()


def test_the_python_snippets_move_an_alias_and_sign_the_docs_page(plane: ControlPlane, admin: str) -> None:
    snippet = "\n".join(re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL))
    assert snippet.count(EXAMPLE) == 1

    was, is_, page = _run([sys.executable, "-c", snippet.replace(EXAMPLE, admin)], {}).splitlines()

    assert was == "was 1"
    assert re.fullmatch(r"is 2 by arn:aws:\S+", is_)
    assert plane.call("GET", "/admin/models/iris/aliases/live").json["version"] == 2
    with urllib.request.urlopen(page) as answer:  # noqa: S310 - the twin's own address
        assert b"SwaggerUIBundle" in answer.read()


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_curl_line_signs(admin: str) -> None:
    (snippet,) = re.findall(r"```sh\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)

    shown = json.loads(_run(["sh", "-c", snippet], {"ADMIN": admin, "AWS_REGION": "us-east-1"}))

    assert shown["versions"] == [1, 2, 3]


def test_the_description_names_the_address_that_was_called(admin: str) -> None:
    snippet = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[0]
    program = snippet.replace(EXAMPLE, admin).partition("live = ")[0] + 'print(call("GET", f"{admin}/openapi.json")[1])'

    assert f"'servers': [{{'url': '{admin.removesuffix('/admin')}'}}]" in _run([sys.executable, "-c", program], {})


@pytest.mark.parametrize("path", ["/models", "/docs", "/docs?X-Amz-Signature=00"])
def test_an_unsigned_request_does_not_pass(admin: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(admin + path)  # noqa: S310 - the twin's own address
    refused.value.close()


def _run(command: list[str], env: Mapping[str, str]) -> str:
    signer = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    run = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], **signer, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout
