"""What each function may do to the store, statement by statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from model_store.keys import MODELS

ALL_MODELS: Final = f"{MODELS}*"
ALIASES: Final = f"{MODELS}*/aliases/*"
HISTORY: Final = f"{MODELS}*/history/*"
VERSIONS: Final = f"{MODELS}*/versions/*"


def inference(store: s3.IBucket, payloads: Sequence[str] = ()) -> list[iam.PolicyStatement]:
    """Read models, change nothing of the store; read and write bodies below the prefixes that `payloads` names."""
    return [_read(store), _list(store), *([_exchange(payloads)] if payloads else [])]


def control(store: s3.IBucket) -> list[iam.PolicyStatement]:
    """Read models, move aliases, record it; never touch what was published.

    The denial is not redundant: IAM's `*` spans slashes, so `models/*/aliases/*` would also match an artifact
    `models/iris/versions/3/aliases/x`.
    """
    return [
        _read(store),
        _list(store),
        iam.PolicyStatement(
            sid="MoveAliases",
            actions=["s3:PutObject"],
            resources=[store.arn_for_objects(ALIASES), store.arn_for_objects(HISTORY)],
        ),
        iam.PolicyStatement(
            sid="NeverTouchVersions",
            effect=iam.Effect.DENY,
            actions=["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"],
            resources=[store.arn_for_objects(VERSIONS)],
        ),
    ]


def _read(store: s3.IBucket) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="ReadModels", actions=["s3:GetObject"], resources=[store.arn_for_objects(ALL_MODELS)]
    )


def payload_arn(location: str) -> str:
    """Return the objects below `s3://bucket/prefix/`."""
    return f"arn:{Aws.PARTITION}:s3:::{location.removeprefix('s3://')}*"


def _exchange(payloads: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="ExchangePayloads",
        actions=["s3:GetObject", "s3:PutObject"],
        resources=[payload_arn(location) for location in payloads],
    )


def _list(store: s3.IBucket) -> iam.PolicyStatement:
    # Without it, S3 answers 403 for an object that does not exist, and "no such model" (404) would look like
    # "not allowed" (503): S3 API reference, GetObject, "Permissions". A condition on the prefix does not help:
    # a GetObject carries none. It adds the names of objects that the function may read anyway.
    return iam.PolicyStatement(sid="TellMissingFromDenied", actions=["s3:ListBucket"], resources=[store.bucket_arn])
