"""The way of a model into the store: examined by the gate, planned, then applied."""

from model_store.gate.apply import Published, apply, publish_file
from model_store.gate.plan import PublishPlan, plan_file, plan_publish

__all__ = ["PublishPlan", "Published", "apply", "plan_file", "plan_publish", "publish_file"]
