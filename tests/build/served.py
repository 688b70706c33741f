"""A data plane behind HTTP on this machine: what API Gateway does of it, as far as a client can tell."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from tests.build.http_answers import Endpoint, Given, Sent, serving
from tests.build.inference import World, event


@contextmanager
def served(world: World) -> Iterator[Endpoint]:
    """Serve a world's data plane."""

    def answer(sent: Sent) -> Given:
        is_binary = sent.headers.get("content-type") == "application/octet-stream"
        body = base64.b64encode(sent.body).decode() if is_binary else sent.body.decode()
        answered = world.plane.answer(
            event(
                sent.method,
                sent.path.removeprefix("/prod"),
                body or None,
                headers=dict(sent.headers),
                multiValueHeaders={name: [value] for name, value in sent.headers.items()},
                isBase64Encoded=is_binary,
            ),
            "request-1",
        )
        text: str = answered["body"]
        content = base64.b64decode(text) if answered["isBase64Encoded"] else text.encode()
        return Given(answered["statusCode"], content, answered["headers"])

    with serving(answer) as endpoint:
        yield endpoint
