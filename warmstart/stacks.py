"""Names of the stacks and of their outputs: the CDK app writes them, the command line and the twin read them."""

from typing import Final

DEFAULT_STAGE: Final = "prod"

ENDPOINT: Final = "Endpoint"
"""Serving stack: the REST API's URL, without a slash at the end."""
ADMIN_ENDPOINT: Final = "AdminEndpoint"
"""Serving stack: the control plane's URL (the endpoint and `/admin`)."""
API_KEY_ID: Final = "ApiKeyId"
"""Serving stack: the id of the API key; its value is read with `apigateway get-api-key --include-value`."""
INFERENCE_FUNCTION: Final = "InferenceFunction"
"""Serving stack: the name of the inference function."""
CONTROL_FUNCTION: Final = "ControlFunction"
"""Serving stack: the name of the control function."""
INFERENCE_TARGET: Final = "InferenceTarget"
"""Serving stack: what a publisher has to know of the inference function, as JSON: architecture, memory_mb, ..."""
STORE_BUCKET: Final = "StoreBucket"
"""Store stack: the name of the bucket."""


def store_stack(stage: str) -> str:
    """Name of the stage's store stack."""
    return f"warmstart-{stage}-store"


def serving_stack(stage: str) -> str:
    """Name of the stage's serving stack."""
    return f"warmstart-{stage}-serving"


def log_group(stage: str, function: str) -> str:
    """Name of the log group of the stage's function `inference` or `control`."""
    return f"/warmstart/{stage}/{function}"
