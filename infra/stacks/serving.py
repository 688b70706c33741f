"""The serving stack: two functions behind one REST API."""

from __future__ import annotations

import json
from typing import Final

from aws_cdk import Aws, CfnOutput, Fn, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.assets import INFERENCE_HANDLER, Assets
from infra.config import StageConfig
from infra.constructs.alarms import Alarms
from infra.constructs.api import InferenceApi
from infra.constructs.function import LiveFunction
from infra.constructs.warmth import Warmth
from infra.stacks import rights
from infra.stacks.store import bucket_export
from model_store.signing.public_key import parse_public_key
from warmstart import environment, stacks

CONTROL_MEMORY_MB: Final = 512
"""The control plane is called by hand: its cold start (FastAPI) wants some processor, its work almost nothing."""


class ServingStack(Stack):
    """Nothing here holds data: it can be destroyed and deployed again, and the same models answer."""

    def __init__(self, scope: Construct, *, config: StageConfig, assets: Assets) -> None:
        super().__init__(
            scope,
            stacks.serving_stack(config.stage),
            description=f"Warmstart, stage {config.stage}: predictions and the control plane",
        )
        store = s3.Bucket.from_bucket_name(self, "Store", Fn.import_value(bucket_export(config.stage)))
        inference = self._inference(config, assets, store)
        control = self._control(config, assets, store)
        Warmth(self, "Warmth", config=config, inference=inference.alias)
        gateway = InferenceApi(self, "Gateway", config=config, inference=inference.alias, control=control.alias)
        Alarms(self, "Alarms", config=config, api=gateway.api, inference=inference.alias, control=control.alias)
        endpoint = f"https://{gateway.api.rest_api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}/{config.stage}"
        outputs = {
            stacks.ENDPOINT: endpoint,
            stacks.ADMIN_ENDPOINT: f"{endpoint}/admin",
            stacks.API_KEY_ID: gateway.api_key.key_id,
            stacks.INFERENCE_FUNCTION: inference.function.function_name,
            stacks.CONTROL_FUNCTION: control.function.function_name,
            stacks.INFERENCE_TARGET: _target(config),
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _inference(self, config: StageConfig, assets: Assets, store: s3.IBucket) -> LiveFunction:
        return LiveFunction(
            self,
            "Inference",
            config=config,
            name="inference",
            handler=INFERENCE_HANDLER,
            code=assets.inference_code,
            layers=[
                layer
                for layer in (assets.inference_layer, assets.signing_layer, assets.model_layer)
                if layer is not None
            ],
            environment={
                **_environment(config, store, service="inference"),
                **({environment.SIGNED_BY: ",".join(config.signing_public_keys)} if config.require_signature else {}),
                **({environment.DEFAULT_MODEL: config.default_model} if config.default_model else {}),
                **({environment.V1_PROTOCOL: "kserve"} if config.v1_protocol == "kserve" else {}),
                **({environment.SERVER_TIMING: "true"} if config.server_timing else {}),
                **({environment.PRELOAD: ",".join(config.preload)} if config.preload else {}),
                **(
                    {environment.PAYLOAD_LOCATIONS: ",".join(config.payload_locations)}
                    if config.payload_locations
                    else {}
                ),
                **({environment.WARM_UP: "true"} if config.warm_up else {}),
                environment.ALIAS_TTL_S: str(config.alias_ttl_s),
                environment.MODELS_DIR: "/opt/models",
                environment.TMPDIR: "/tmp",  # noqa: S108 - Lambda's only writable folder
                environment.HOME: "/tmp",  # noqa: S108
                environment.ORT_DISABLE_TELEMETRY: "1",
                environment.OPENBLAS_NUM_THREADS: "1",
            },
            statements=rights.inference(store, config.payload_locations),
            memory_mb=config.memory_mb,
            ephemeral_storage_mb=config.ephemeral_storage_mb,
            concurrency=config.concurrency,
            snap_start=config.snap_start,
            provisioned_concurrency=config.provisioned_concurrency,
            image=assets.inference_image,
        )

    def _control(self, config: StageConfig, assets: Assets, store: s3.IBucket) -> LiveFunction:
        return LiveFunction(
            self,
            "Control",
            config=config,
            name="control",
            handler="handlers.control.lambda_handler.handler",
            code=assets.control_code,
            layers=[assets.control_layer],
            environment=_environment(config, store, service="control"),
            statements=rights.control(store),
            memory_mb=CONTROL_MEMORY_MB,
        )


def _environment(config: StageConfig, store: s3.IBucket, *, service: str) -> dict[str, str]:
    return {
        environment.STORE_BUCKET: store.bucket_name,
        environment.STAGE: config.stage,
        environment.SERVICE_NAME: service,
        environment.METRICS_NAMESPACE: "Warmstart",
    }


def _target(config: StageConfig) -> str:
    names = ("architecture", "memory_mb", "ephemeral_storage_mb", "timeout_s")
    keys = config.signing_public_keys if config.require_signature else ()
    signed_by = [parse_public_key(text).key_id for text in keys]
    return json.dumps({**{name: getattr(config, name) for name in names}, "signed_by": signed_by})
