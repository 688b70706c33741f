"""The store stack: one bucket, which outlives everything else."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.bucket import StoreBucket
from warmstart import stacks


def bucket_export(stage: str) -> str:
    """Name under which the store stack exports its bucket's name to the serving stack."""
    return f"{stacks.store_stack(stage)}-bucket"


class StoreStack(Stack):
    """What is published lives here; `cdk destroy` leaves it."""

    def __init__(self, scope: Construct, *, config: StageConfig) -> None:
        super().__init__(
            scope,
            stacks.store_stack(config.stage),
            description=f"Warmstart, stage {config.stage}: the model store",
        )
        self.bucket = StoreBucket(self, "Store", noncurrent_version_days=config.noncurrent_version_days).bucket
        CfnOutput(self, stacks.STORE_BUCKET, value=self.bucket.bucket_name, export_name=bucket_export(config.stage))
