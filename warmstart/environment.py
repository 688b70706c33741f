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
"""Models to open before the first request, separated by commas: in the init phase, or before a server is ready."""
METRICS_NAMESPACE: Final = "POWERTOOLS_METRICS_NAMESPACE"
SERVICE_NAME: Final = "POWERTOOLS_SERVICE_NAME"
LOG_LEVEL: Final = "POWERTOOLS_LOG_LEVEL"
STAGE: Final = "WARMSTART_STAGE"
DEFAULT_MODEL: Final = "WARMSTART_DEFAULT_MODEL"
"""The model that is asked where a path names none; "" or not there: such a path is refused."""
V1_PROTOCOL: Final = "WARMSTART_V1_PROTOCOL"
"""Whose protocol the paths below /v1/models speak: `tensorflow` or `kserve`."""
SERVER_TIMING: Final = "WARMSTART_SERVER_TIMING"
"""`true`: answers say in a `Server-Timing` header where their time went."""
SIGNED_BY: Final = "WARMSTART_SIGNED_BY"
"""Public keys: a version has to be signed by one of them. Not there if the stage asks for no signatures."""

# Ours, read by `warmstart serve` alone: each is an option of the command too.
STORE_URL: Final = "WARMSTART_STORE_URL"
HOST: Final = "WARMSTART_HOST"
PORT: Final = "WARMSTART_PORT"
GRPC_PORT: Final = "WARMSTART_GRPC_PORT"
THREADS: Final = "WARMSTART_THREADS"
CONCURRENCY: Final = "WARMSTART_CONCURRENCY"
QUEUE: Final = "WARMSTART_QUEUE"
MAX_BATCH_SIZE: Final = "WARMSTART_MAX_BATCH_SIZE"
MAX_DELAY_MS: Final = "WARMSTART_MAX_DELAY_MS"
MAX_BODY_MB: Final = "WARMSTART_MAX_BODY_MB"
DRAIN_S: Final = "WARMSTART_DRAIN_S"
LOG: Final = "WARMSTART_LOG"

# Vertex AI's contract with containers ("Custom container requirements for inference").
AIP_HTTP_PORT: Final = "AIP_HTTP_PORT"
AIP_PREDICT_ROUTE: Final = "AIP_PREDICT_ROUTE"
AIP_HEALTH_ROUTE: Final = "AIP_HEALTH_ROUTE"

# Lambda's: see "Defined runtime environment variables" in the Lambda developer guide.
MEMORY_MB: Final = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
FUNCTION_NAME: Final = "AWS_LAMBDA_FUNCTION_NAME"
FUNCTION_VERSION: Final = "AWS_LAMBDA_FUNCTION_VERSION"
REGION: Final = "AWS_REGION"
DEFAULT_REGION: Final = "AWS_DEFAULT_REGION"
"""The SDKs' older name for it."""
ACCESS_KEY_ID: Final = "AWS_ACCESS_KEY_ID"
SECRET_ACCESS_KEY: Final = "AWS_SECRET_ACCESS_KEY"
SESSION_TOKEN: Final = "AWS_SESSION_TOKEN"
CONTAINER_CREDENTIALS_URI: Final = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
CONTAINER_CREDENTIALS_TOKEN: Final = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
"""Where the role's credentials are asked for, and with what, in an environment that starts from a snapshot."""
TMPDIR: Final = "TMPDIR"
HOME: Final = "HOME"

# Of the libraries on the inference layer.
ORT_DISABLE_TELEMETRY: Final = "ORT_DISABLE_TELEMETRY"
OPENBLAS_NUM_THREADS: Final = "OPENBLAS_NUM_THREADS"
