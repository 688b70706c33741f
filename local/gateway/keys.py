"""API keys, and the usage plans that admit them to a stage.

Source: API Gateway developer guide, "Usage plans and API keys for REST APIs in API Gateway": a plan's limits apply to
each of its keys, on methods that require a key.
"""

from __future__ import annotations

from local.gateway.api import Api, Key, Method, Route, UsagePlan
from local.gateway.failures import invalid_key, quota_exceeded, throttled
from local.gateway.headers import last
from local.gateway.throttle import Quotas, Throttles
from local.types import HttpRequest


class Keys:
    """The keys of a stage's usage plans, by value; a disabled key is none."""

    def __init__(self, api: Api) -> None:
        self._members: dict[str, tuple[Key, UsagePlan]] = {}
        if api.api_key_source == "HEADER":
            for plan in api.usage_plans:
                for key in plan.keys:
                    if key.enabled:
                        self._members.setdefault(key.value, (key, plan))

    def check(self, request: HttpRequest) -> tuple[Key, UsagePlan]:
        """Return the request's key and its plan. Raises: Failure."""
        found = self._members.get(last(request.headers, "x-api-key") or "")
        if found is None:
            raise invalid_key()
        return found


class Admission:
    """The throttles and quotas of all stages; they outlive a deployment."""

    def __init__(self) -> None:
        self._throttles = Throttles()
        self._quotas = Quotas()

    def admit_key(self, api: Api, plan: UsagePlan, key: Key, target: str, now: float) -> None:
        """Take from the key's own limits: the plan's for this method, the plan's, its quota. Raises: Failure.

        `target` is `/path/METHOD`.
        """
        owner = (api.id, api.stage.name, plan.id, key.id)
        by_method = plan.method_throttles.get(target)
        if by_method and not self._throttles.admit((*owner, target), by_method, now):
            raise throttled()
        if plan.throttle and not self._throttles.admit((plan.id, key.id), plan.throttle, now):
            raise throttled()
        if plan.quota and not self._quotas.admit((plan.id, key.id), plan.quota, now):
            raise quota_exceeded()

    def admit_method(self, api: Api, target: str, now: float) -> None:
        """Take from the stage's limit for this method, or from the one for all others. Raises: Failure."""
        limit = api.stage.throttles.get(target) or api.stage.throttles.get("*/*")
        if limit and not self._throttles.admit((api.id, api.stage.name, target), limit, now):
            raise throttled()


def target_of(route: Route, method: Method) -> str:
    """Name a method as throttles do: `/path/METHOD`."""
    return f"{route.path}/{method.http_method}"
