"""API Gateway's limits for REST APIs.

Source: API Gateway developer guide, "Quotas for configuring and running a REST API in API Gateway".
"""

from typing import Final

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""Payload size, both ways."""
MAX_HEADER_BYTES: Final = 10_240
"""Total combined size of request line and header values."""
