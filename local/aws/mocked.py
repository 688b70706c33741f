"""moto's S3 in the caller's own process, without a server."""

from __future__ import annotations

from contextlib import AbstractContextManager

from moto import mock_aws


def mocked_s3() -> AbstractContextManager[object]:
    """Return a context in which boto3's calls end in memory; nothing is left after it."""
    return mock_aws()
