"""Names of environment variables, in one place: the stacks set them, the functions read them."""

from typing import Final

# Ours: set by the serving stack.
STORE_BUCKET: Final = "WARMSTART_STORE_BUCKET"
STORE_ENDPOINT: Final = "AWS_ENDPOINT_URL_S3"
"""S3's address where it is not AWS's own; the SDKs' name for it (AWS SDKs reference, "Service-specific endpoints")."""
ENDPOINT: Final = "AWS_ENDPOINT_URL"
ALIAS_TTL_S: Final = "WARMSTART_ALIAS_TTL_S"
MODELS_DIR: Final = "WARMSTART_MODELS_DIR"
PRELOAD: Final = "WARMSTART_PRELOAD"
"""Models to open in the init phase, separated by commas. Not there if the stage names none."""
METRICS_NAMESPACE: Final = "POWERTOOLS_METRICS_NAMESPACE"
SERVICE_NAME: Final = "POWERTOOLS_SERVICE_NAME"
LOG_LEVEL: Final = "POWERTOOLS_LOG_LEVEL"
STAGE: Final = "WARMSTART_STAGE"
SIGNED_BY: Final = "WARMSTART_SIGNED_BY"
"""Public keys: a version has to be signed by one of them. Not there if the stage asks for no signatures."""

# Lambda's: see "Defined runtime environment variables" in the Lambda developer guide.
MEMORY_MB: Final = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
FUNCTION_NAME: Final = "AWS_LAMBDA_FUNCTION_NAME"
FUNCTION_VERSION: Final = "AWS_LAMBDA_FUNCTION_VERSION"
REGION: Final = "AWS_REGION"
ACCESS_KEY_ID: Final = "AWS_ACCESS_KEY_ID"
SECRET_ACCESS_KEY: Final = "AWS_SECRET_ACCESS_KEY"
SESSION_TOKEN: Final = "AWS_SESSION_TOKEN"
TMPDIR: Final = "TMPDIR"
HOME: Final = "HOME"

# Of the libraries on the inference layer.
ORT_DISABLE_TELEMETRY: Final = "ORT_DISABLE_TELEMETRY"
OPENBLAS_NUM_THREADS: Final = "OPENBLAS_NUM_THREADS"
