"""The way of a model into the store: examined by the gate, planned, then applied."""

from model_store.gate.apply import Published, apply, publish_file
from model_store.gate.gate import Examined, Watch, examine
from model_store.gate.plan import PublishPlan, plan_file, plan_publish
from model_store.gate.publish import plan_examined, publish
from model_store.gate.steps import GateOptions, GateRejected, GateReport

__all__ = [
    "Examined",
    "GateOptions",
    "GateRejected",
    "GateReport",
    "PublishPlan",
    "Published",
    "Watch",
    "apply",
    "examine",
    "plan_examined",
    "plan_file",
    "plan_publish",
    "publish",
    "publish_file",
]
