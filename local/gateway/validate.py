"""The request validator: required parameters, and the body against its model.

Sources: API Gateway developer guide, "Request validation for REST APIs in API Gateway" (parameters must be there and
not blank; a body that no model matches is passed through), "Data models for REST APIs" (JSON Schema draft 4).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from local.gateway.api import Api, Method, Model
from local.gateway.failures import Failure, invalid_body, missing_parameters
from local.gateway.headers import every, media_type
from local.gateway.routes import Match
from local.types import HttpRequest


def check_parameters(match: Match, request: HttpRequest) -> None:
    """Refuse a request that lacks a required parameter. Raises: Failure."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    missing = []
    for required in sorted(match.method.required_parameters):
        place, _, name = required.removeprefix("method.request.").partition(".")
        match place:
            case "querystring":
                value = query.get(name)
            case "header":
                value = "".join(every(request.headers, name))
            case _:
                value = match.parameters.get(name)
        if not value:
            missing.append(name)
    if missing:
        raise missing_parameters(missing)


class BodyValidators:
    """The compiled models of an API."""

    def __init__(self, api: Api) -> None:
        registry: Registry[Any] = Registry().with_resources(
            (_address(api, model), Resource.from_contents(json.loads(model.schema), default_specification=DRAFT4))
            for model in api.models
        )
        self._compiled = {
            model.name: Draft4Validator(json.loads(model.schema), registry=registry)
            for route in api.routes
            for method in route.methods
            for model in method.models.values()
        }

    def check(self, method: Method, request: HttpRequest) -> None:
        """Refuse a body that does not fit its model; one without a model passes. Raises: Failure.

        An empty body is validated as `{}`.
        """
        if (model := _model(method.models, request)) is None:
            return
        document = _parse(request.body or b"{}")
        if errors := list(self._compiled[model.name].iter_errors(document)):
            raise _refusal(errors)


def _address(api: Api, model: Model) -> str:
    """Return the name by which models refer to each other (`$ref`)."""
    return f"https://apigateway.amazonaws.com/restapis/{api.id}/models/{model.name}"


def _model(models: Mapping[str, Model], request: HttpRequest) -> Model | None:
    return models.get(media_type(request.headers)) or models.get("$default")


def _parse(body: bytes) -> Any:
    """Read JSON, without the constants that Python would add to it. Raises: Failure."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (json.JSONDecodeError, UnicodeDecodeError, _NoConstant) as error:
        raise invalid_body(f"Could not parse request body into json: {error}") from None
    except RecursionError:
        raise invalid_body("Could not parse request body into json: nested too deeply") from None
    except ValueError:  # a whole number of more than 4,300 digits, which Python alone refuses
        return json.loads(body, parse_constant=_no_constant, parse_int=_shortened)


class _NoConstant(Exception):
    """`NaN` or `Infinity` came, which JSON does not have."""


def _no_constant(name: str) -> float:
    raise _NoConstant(f"unrecognized token {name!r}")


def _shortened(digits: str) -> int:
    """Keep a number's type and sign, and its size as far as any schema asks."""
    return int(digits[:4000])


def _refusal(errors: Iterable[ValidationError]) -> Failure:
    said: dict[str, None] = {}  # a set that keeps its order
    for error in errors:
        said.setdefault(_describe(error))
    return invalid_body(f"[{', '.join(said)}]")


def _describe(error: ValidationError) -> str:
    """Say what is wrong in the words that AWS's validator uses (`json-schema-validator` for Java), where known."""
    instance: Any = error.instance
    limit: Any = error.validator_value
    match error.validator:
        case "required":
            missing = json.dumps(sorted(set(limit) - set(instance)), separators=(",", ":"))
            return f"object has missing required properties ({missing})"
        case "type":
            allowed = json.dumps(sorted([limit] if isinstance(limit, str) else limit), separators=(",", ":"))
            kind = _type_name(instance)
            return f"instance type ({kind}) does not match any allowed primitive type (allowed: {allowed})"
        case "minItems":
            return f"array is too short: must have at least {limit} elements but instance has {len(instance)} elements"
        case "maxItems":
            return f"array is too long: must have at most {limit} elements but instance has {len(instance)} elements"
        case "enum":
            value, values = json.dumps(instance), json.dumps(limit, separators=(",", ":"))
            return f"instance value ({value}) not found in enum (possible values: {values})"
        case _:
            return error.message


def _type_name(instance: object) -> str:
    match instance:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
