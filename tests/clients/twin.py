"""Publishes the same models into a local twin, until standard input ends: `python -m tests.clients.twin`.

The first line that it writes is JSON: the endpoint and its API key.
"""

from __future__ import annotations

import json
import sys

from local.process import TwinProcess
from model_store.s3 import S3Objects
from tests.clients.server import publish


def main() -> int:
    """Start, publish, and serve until standard input ends."""
    with TwinProcess.start(context={"default_model": "adder"}) as twin:
        publish(S3Objects(twin.address.store, twin.session.client("s3", endpoint_url=twin.address.aws_endpoint_url)))
        sys.stdout.write(json.dumps({"http": twin.address.endpoint, "key": twin.address.api_key}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
