"""The control function's entry.

COLD START, in order, once per execution environment. Tracer is left out: the function's trace is active without it,
and it would cost more of the cold start than all that it could show of a handful of S3 requests.
"""

import asyncio
import os
import time
from typing import Final
from uuid import uuid4

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from handlers.control.adapter import lambda_adapter
from handlers.control.app import create_app
from handlers.control.service import ControlService
from handlers.control.settings import ControlSettings
from handlers.control.telemetry import PowertoolsTelemetry
from model_store.registry import Registry
from model_store.s3 import S3Objects

# A request fails well before API Gateway gives up on us (29 s): 3 attempts of at most 7 s.
S3_CONFIG: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})

# 1. Fail at init, not on the first request.
SETTINGS: Final = ControlSettings.from_env(os.environ)

# 2. Log lines as JSON; Powertools replaces the handler that Lambda's runtime has set up.
LOGGER: Final = Logger(service=SETTINGS.service_name, level=SETTINGS.log_level, use_rfc3339=True)

# 3. Clients only: no request is made.
OBJECTS: Final = S3Objects(SETTINGS.store_bucket, boto3.client("s3", config=S3_CONFIG))

# 4. The application, and its one event loop, which lives as long as the execution environment.
LOOP: Final = asyncio.new_event_loop()
APP: Final = create_app(
    ControlService(registry=Registry(OBJECTS, clock=time.time, new_id=lambda: uuid4().hex)),
    PowertoolsTelemetry(LOGGER, namespace=SETTINGS.metrics_namespace, service=SETTINGS.service_name),
)
handler: Final = LOGGER.inject_lambda_context(lambda_adapter(APP, loop=LOOP))
