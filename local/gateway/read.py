"""Read a deployed stage of a REST API back through boto3's `apigateway` client."""

from __future__ import annotations

from mypy_boto3_apigateway import APIGatewayClient

from local.gateway.api import Api


def read_api(apigateway: APIGatewayClient, rest_api_id: str, stage: str, *, account: str) -> Api:
    """Read everything that decides how this stage answers. Raises: botocore's NotFoundException."""
    raise NotImplementedError
