"""CloudFormation on moto, made to behave as on AWS where the template needs it.

moto creates resources lazily and in the template's order, forgets `DependsOn`, updates by comparing template text, and
deletes before it creates. Here resources are made in the order of their needs, changed when a resolved property
changed, and what is no longer needed is deleted last; a failure is an event with its reason, and is rolled back.

Source: CloudFormation user guide, "How CloudFormation works" and "Update behaviors of stack resources".
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from moto.awslambda.models import LambdaStorage
from moto.cloudformation import models, parsing
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from local.aws import (
    apigateway_key_types,
    apigateway_shape_types,
    apigateway_types,
    lambda_types,
    other_types,
    scaling_types,
    scheduler_types,
)
from local.aws.identity import physical_name
from local.aws.resource import Taught
from local.aws.template import in_order, needs

_LOG: Final = logging.getLogger(__name__)
_NAME_LIMIT: Final = {"AWS::S3::Bucket": 63, "AWS::Lambda::Function": 64, "AWS::IAM::Role": 64}
_LAYER_NAME_LIMIT: Final = 140
_KEPT: Final = ("Retain", "RetainExceptOnCreate")
_IGNORED: Final = "AWS::CDK::Metadata"
"""What the CDK adds to count its use; it makes nothing on AWS either."""


AFTER_CHANGE: Final[list[Callable[[], None]]] = []
"""Called after each stack that was created, changed or deleted, before its caller has an answer."""


class ResourceFailed(Exception):
    """A resource that could not be made, changed or deleted."""

    def __init__(self, logical_id: str, type_: str, reason: str) -> None:
        super().__init__(f"{type_} {logical_id}: {reason}")
        self.logical_id, self.type, self.reason = logical_id, type_, reason


class CdkMetadata(Taught):
    """The CDK's own record of what it used."""

    type = _IGNORED

    def create(self, name: str, properties: Any) -> None:  # noqa: ARG002
        """Make nothing."""
        self.physical_resource_id = name

    def update(self, name: str, properties: Any) -> CdkMetadata:  # noqa: ARG002
        """Change nothing."""
        return self

    def remove(self) -> None:
        """Delete nothing."""


class _Resources(parsing.ResourceMap):
    """The resources of one stack."""

    _resolved: dict[str, str]

    def make(self, name: str) -> CloudFormationModel | None:
        """Create one resource and, before it, what it needs. Raises: ResourceFailed."""
        resource = self._resource_json_map[name]
        if self._absent(resource):
            return None
        for needed in needs(resource):
            if needed in self._resource_json_map:
                self[needed]
        with_properties = {"Properties": {}, **resource}
        try:
            self._check_type(resource["Type"])
            made: CloudFormationModel | None = _CREATE(
                name, with_properties, self, account_id=self._account_id, region_name=self._region_name
            )
            self._remember(name)
        except ResourceFailed:
            raise
        except Exception as error:
            raise _failed(name, resource["Type"], error) from error
        return made

    def _absent(self, resource: dict[str, Any]) -> bool:
        condition = resource.get("Condition")
        return condition is not None and not self.lazy_condition_map[condition]

    def _check_type(self, type_: str) -> None:
        if type_ not in parsing.get_model_map() or type_.startswith("Custom::"):
            raise NotImplementedError(
                f"the twin does not know the resource type {type_}; local/aws/*_types.py is where it is taught"
            )

    def _properties(self, name: str) -> str:
        return json.dumps(
            parsing.clean_json(self._resource_json_map[name].get("Properties", {}), self), sort_keys=True, default=str
        )

    def _remember(self, name: str) -> None:
        self.__dict__.setdefault("_resolved", {})[name] = self._properties(name)

    def create(self, template: dict[str, Any]) -> bool:
        """Create everything."""
        self._template = template
        self._resource_json_map = template["Resources"]
        own = {"aws:cloudformation:stack-name": self["AWS::StackName"], "aws:cloudformation:stack-id": self.stack_id}
        self.tags.update(own)
        for name in in_order(self._resource_json_map):
            self[name]
        return True

    def update(self, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
        """Bring the stack to another template: create and change in order, then delete what is left over."""
        before, self._template, self._resource_json_map = self._resource_json_map, template, template["Resources"]
        if parameters:
            self.input_parameters = parameters
        self.load_mapping()
        self.load_parameters()
        self.load_conditions()
        replaced: list[tuple[str, Any, dict[str, Any]]] = []
        for name in in_order(self._resource_json_map):
            if self._absent(self._resource_json_map[name]):
                continue
            if name not in self._parsed_resources:
                self[name]
            elif self._properties(name) != self._resolved.get(name):
                replaced += self._change(name, before[name])
        for name, old, resource in reversed(replaced):
            if resource.get("UpdateReplacePolicy", "Delete") not in _KEPT:
                self._discard(name, old, resource)
        gone = [n for n in in_order(before) if n not in template["Resources"] or self._absent(template["Resources"][n])]
        self._delete_all(gone, before)

    def _change(self, name: str, before: dict[str, Any]) -> Iterable[tuple[str, Any, dict[str, Any]]]:
        """Change one resource; return the old one where another took its place."""
        resource = {"Properties": {}, **self._resource_json_map[name]}
        old = self._parsed_resources[name]
        try:
            self._check_type(resource["Type"])
            model = parsing.resource_class_from_type(resource["Type"])
            if hasattr(model.update_from_cloudformation_json, "__isabstractmethod__"):
                self._delete_resource(old, before)
                new = _CREATE(name, resource, self, account_id=self._account_id, region_name=self._region_name)
                old = new
            else:
                new = parsing.parse_and_update_resource(
                    name, resource, self, account_id=self._account_id, region_name=self._region_name
                )
            self._parsed_resources[name] = new
            self._remember(name)
        except Exception as error:
            raise _failed(name, resource["Type"], error) from error
        return [] if new is old or not isinstance(new, Taught) else [(name, old, before)]

    def delete(self) -> None:
        """Delete everything that its policy does not keep."""
        self._delete_all(in_order(self._resource_json_map), self._resource_json_map)

    def _delete_all(self, names: list[str], resources: dict[str, Any]) -> None:
        for name in reversed(names):
            old = self._parsed_resources.pop(name, None)
            if old is not None and resources[name].get("DeletionPolicy", "Delete") not in _KEPT:
                self._discard(name, old, resources[name])

    def _discard(self, name: str, old: Any, resource: dict[str, Any]) -> None:
        try:
            if isinstance(old, Taught):
                old.remove()
            else:
                self._delete_resource(old, {"Properties": {}, **resource})
        except Exception as error:
            self._parsed_resources[name] = old
            raise _failed(name, resource["Type"], error) from error


def _failed(name: str, type_: str, error: Exception) -> ResourceFailed:
    _LOG.error("%s %s failed", type_, name, exc_info=error)
    reason = str(error) or type(error).__name__
    return ResourceFailed(name, type_, reason)


_CREATE: Callable[..., Any] = parsing.parse_and_create_resource


def _make(logical_id: str, _json: Any, resources: _Resources, **_: Any) -> CloudFormationModel | None:
    return resources.make(logical_id)


def _generate_name(resource_type: str, stack_name: str, logical_id: str) -> str:
    limit = _NAME_LIMIT.get(resource_type, _LAYER_NAME_LIMIT)
    name = physical_name(stack_name, logical_id, limit=limit)
    return name.lower() if resource_type == "AWS::S3::Bucket" else name


def _changed() -> None:
    for listener in AFTER_CHANGE:
        listener()


_PARSE_YAML: Final[Callable[[str], dict[str, Any]]] = models.Stack.parse_template


class _Stack(models.Stack):
    """A stack that says why it failed, and goes back to where it was."""

    @staticmethod
    def parse_template(template: str) -> dict[str, Any]:
        """Read a template; the CDK's are JSON, for which the YAML reader takes a second per stack."""
        try:
            return dict(json.loads(template))
        except ValueError:
            return _PARSE_YAML(template)

    @property
    def _stands(self) -> bool:
        return self.status.endswith("COMPLETE") and self.status not in ("ROLLBACK_COMPLETE", "DELETE_COMPLETE")

    @property
    def exports(self) -> list[parsing.Export]:
        """What other stacks may import; nothing as long as the stack does not stand."""
        return super().exports if self._stands else []

    @property
    def outputs(self) -> list[dict[str, Any]] | None:
        """The outputs; none as long as the stack does not stand."""
        return super().outputs if self._stands else None

    @property
    def stack_resources(self) -> Iterable[Any]:
        """The resources that exist."""
        return [resource for resource in super().stack_resources if resource is not None]

    def create_resources(self) -> None:
        """Create everything, or nothing."""
        try:
            super().create_resources()
        except ResourceFailed as failed:
            self._tell(failed, "CREATE_FAILED")
            self._go("ROLLBACK_IN_PROGRESS", str(failed))
            self._undo(self.resource_map.delete)
            self.resource_map._resource_json_map = {}
            self._go("ROLLBACK_COMPLETE")
        else:
            self._export()
        _changed()

    def update(
        self,
        template: str,
        role_arn: str | None = None,
        parameters: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        """Bring the stack to another template, or leave it as it was."""
        before = self.template_dict, self.template, dict(self.parameters)
        try:
            super().update(template, role_arn, parameters, tags)
        except ResourceFailed as failed:
            self._tell(failed, "UPDATE_FAILED")
            self._go("UPDATE_ROLLBACK_IN_PROGRESS", str(failed))
            self.template_dict, self.template, self.parameters = before
            self._undo(lambda: self.resource_map.update(before[0], before[2]))
            self.output_map = self._create_output_map()
            self._go("UPDATE_ROLLBACK_COMPLETE")
        else:
            self._export()
        _changed()

    def delete(self) -> None:
        """Delete everything. Raises: ValidationError, with the stack left in DELETE_FAILED."""
        try:
            super().delete()
        except ResourceFailed as failed:
            self._tell(failed, "DELETE_FAILED")
            self._go("DELETE_FAILED", str(failed))
            self._backend.stacks[self.stack_id] = self
            raise ValidationError(self.name, str(failed)) from failed
        finally:
            _changed()

    @property
    def _backend(self) -> models.CloudFormationBackend:
        return models.cloudformation_backends[self.account_id][self.region_name]

    def _export(self) -> None:
        self._backend.exports.update({export.name: export for export in self.exports})

    def _tell(self, failed: ResourceFailed, status: str) -> None:
        event = models.Event(
            stack_id=self.stack_id,
            stack_name=self.name,
            logical_resource_id=failed.logical_id,
            physical_resource_id="",
            resource_type=failed.type,
            resource_status=status,
            resource_status_reason=failed.reason,
            resource_properties=None,
        )
        self.events.append(event)

    def _go(self, status: str, reason: str | None = None) -> None:
        self.status = status
        self._add_stack_event(status, resource_status_reason=reason)

    def _undo(self, undo: Callable[[], None]) -> None:
        try:
            undo()
        except ResourceFailed as failed:
            self._tell(failed, "DELETE_FAILED")


TAUGHT: Final[tuple[type[Taught], ...]] = (
    *apigateway_types.TYPES,
    *apigateway_key_types.TYPES,
    *apigateway_shape_types.TYPES,
    *lambda_types.TYPES,
    *other_types.TYPES,
    *scaling_types.TYPES,
    *scheduler_types.TYPES,
    CdkMetadata,
)


_REPLACEMENTS: Final[dict[str, Callable[..., Any]]] = {
    "parse_and_create_resource": _make,
    "generate_resource_name": _generate_name,
    "resource_name_property_from_type": lambda type_: parsing.get_name_type_map().get(type_),
}


def install() -> None:
    """Teach moto, in this process, once and for all."""
    parsing.get_model_map().update({taught.type: taught for taught in TAUGHT})
    names = parsing.get_name_type_map()
    names.update({taught.type: taught.name_property for taught in TAUGHT})
    for name, replacement in _REPLACEMENTS.items():
        setattr(parsing, name, replacement)
    for module in (parsing, models):
        setattr(module, "ResourceMap", _Resources)  # noqa: B010 - moto looks it up in its module; so do the next two
    setattr(models, "Stack", _Stack)  # noqa: B010
    setattr(LambdaStorage, "publish_version", lambda_types.publish)  # noqa: B010
