"""The store's bucket, and the bucket that its access is recorded in."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from model_store.keys import UPLOADS

_ACCESS_LOG_DAYS = 90
_UPLOADS_KEPT = Duration.days(1)
"""How long an interrupted publication can be continued without sending again what was sent."""


class StoreBucket(Construct):
    """Versioned, encrypted, TLS only, never public, kept when the stack goes; the record of access is kept for 90 days.

    Encrypted with S3's own keys (SSE-S3): a key in KMS would add a call and its price to every cold start,
    and a right to every publisher; who may read is decided by the bucket alone.
    """

    def __init__(self, scope: Construct, id: str, *, noncurrent_version_days: int) -> None:  # noqa: A002 - CDK's name
        super().__init__(scope, id)
        access_log = s3.Bucket(
            self,
            "AccessLog",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(id="expire", expiration=Duration.days(_ACCESS_LOG_DAYS))],
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.bucket = s3.Bucket(
            self,
            "Models",
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=access_log,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="expire-noncurrent",
                    noncurrent_version_expiration=Duration.days(noncurrent_version_days),
                    expired_object_delete_marker=True,
                ),
                s3.LifecycleRule(id="abort-uploads", abort_incomplete_multipart_upload_after=_UPLOADS_KEPT),
                s3.LifecycleRule(
                    id="expire-uploads",
                    prefix=UPLOADS,
                    expiration=_UPLOADS_KEPT,
                    noncurrent_version_expiration=_UPLOADS_KEPT,
                ),
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )
