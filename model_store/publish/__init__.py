"""The way of a model into the store: plan, then apply."""

from model_store.publish.apply import Published, apply, publish_file
from model_store.publish.plan import PublishPlan, plan_publish

__all__ = ["PublishPlan", "Published", "apply", "plan_publish", "publish_file"]
