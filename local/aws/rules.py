"""EventBridge's rules with functions as targets: moto sends events to queues and logs, but not to Lambda.

Source: EventBridge user guide, "Event bus targets in Amazon EventBridge"; API reference, "Target" (Input, InputPath).
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from moto.events.models import Rule
from moto.events.utils import EventTemplateParser

from local.aws.invoke import Lambda
from local.types import FunctionNotFound

_LOG: Final = logging.getLogger(__name__)
_SEND: Final = Rule.send_to_targets
_RECEIVED: Final = "ingestion-time"
Target = Mapping[str, Any]
"""A target, as PutTargets takes it."""


def deliver(lambda_: Lambda, target: Target, event: Mapping[str, Any]) -> None:
    """Send an event to a target that is a function; to others nothing. One that is gone is logged, as nobody waits."""
    if ":lambda:" not in target["Arn"]:
        return
    try:
        lambda_.event(target["Arn"], _payload(target, event))
    except FunctionNotFound as gone:
        _LOG.warning("an event was not delivered: %s", gone)


def _payload(target: Target, event: Mapping[str, Any]) -> bytes:
    """Return what a target gets of an event: its own constant input, a part, a transformation, or all of it."""
    if "Input" in target:
        return str(target["Input"]).encode()
    if transformer := target.get("InputTransformer"):
        paths, received = transformer.get("InputPathsMap", {}), {**event, _RECEIVED: event["time"]}
        made = EventTemplateParser.parse(transformer["InputTemplate"], paths, received)  # type: ignore[arg-type]
        return json.dumps(made).encode()
    part: Any = event
    for name in target.get("InputPath", "$").split(".")[1:]:
        part = part[name]
    return json.dumps(part).encode()


def install(lambda_: Lambda) -> None:
    """Have events reach functions, in this process."""

    def send(rule: Rule, event: Any, transform_input: bool = True) -> None:
        others = copy.copy(rule)
        others.targets = [target for target in rule.targets if ":lambda:" not in target["Arn"]]
        _SEND(others, event, transform_input)
        pattern = rule.event_pattern
        if rule.state != "ENABLED" or not pattern.get_pattern() or not pattern.matches_event(event):
            return
        at = datetime.fromtimestamp(float(event["time"]), UTC)
        shown = {name: value for name, value in event.items() if name != _RECEIVED} | {"time": iso(at)}
        for target in rule.targets:
            deliver(lambda_, target, shown)

    setattr(Rule, "send_to_targets", send)  # noqa: B010


def iso(at: datetime) -> str:
    """Write a time as events do, to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
