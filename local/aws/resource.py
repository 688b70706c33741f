"""The base of the resource types that moto's CloudFormation is taught.

A taught type creates through moto's own backends, so that boto3 reads back what the template declared.
moto finds models by subclassing; ours are put into its table by `local.aws.stacks.install`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from moto.core.common_models import CloudFormationModel

Properties = Mapping[str, Any]
"""A resource's properties as the template holds them, references resolved."""


class Taught(CloudFormationModel):
    """One resource of a stack. `physical_resource_id` is what `Ref` gives, `attributes` what `Fn::GetAtt` gives."""

    type: ClassVar[str] = "Warmstart::Taught::Base"
    name_property: ClassVar[str] = ""
    attribute_names: ClassVar[frozenset[str]] = frozenset()

    physical_resource_id: str

    def __init__(self, account_id: str, region_name: str) -> None:
        self.account_id = account_id
        self.region_name = region_name
        self.properties: Properties = {}

    @abstractmethod
    def create(self, name: str, properties: Properties) -> None:
        """Make it; set `physical_resource_id`. `name` is the declared name, or one derived from the logical id."""

    def update(self, name: str, properties: Properties) -> Self:
        """Change it in place, or make another beside it and return that (a replacement, as CloudFormation calls it)."""
        return self.create_from_cloudformation_json(name, {"Properties": properties}, self.account_id, self.region_name)

    @abstractmethod
    def remove(self) -> None:
        """Delete it."""

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Answer `Fn::GetAtt`."""
        return self.attributes()[attribute_name]

    def attributes(self) -> Mapping[str, str]:
        """Return all attributes that `Fn::GetAtt` may ask for."""
        return {}

    # What moto's parser calls.

    def is_created(self) -> bool:
        """Say that creation is complete: ours always is."""
        return True

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002 - moto's signature
        """Delete it."""
        self.remove()

    @classmethod
    def cloudformation_type(cls) -> str:
        """Return the type's name in templates."""
        return cls.type

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """Return the property that holds the resource's name, or the empty string."""
        return cls.name_property

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Say whether `Fn::GetAtt` may ask for this."""
        return attr in cls.attribute_names

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Create the resource."""
        resource = cls(account_id, region_name)
        properties = cloudformation_json["Properties"]
        resource.create(resource_name, properties)
        resource.properties = properties
        return resource

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,  # noqa: ARG003 - moto's signature
        region_name: str,  # noqa: ARG003 - moto's signature
    ) -> Self:
        """Change the resource, or replace it."""
        properties = cloudformation_json["Properties"]
        changed: Self = original_resource.update(new_resource_name, properties)
        changed.properties = properties
        return changed

    @classmethod
    def delete_from_cloudformation_json(cls, *_: Any, **__: Any) -> None:
        """Do nothing: moto calls it only for resources that have no `delete`."""


def lower_first(value: Any) -> Any:
    """Turn a template's `PropertyName`s into the API's `propertyName`s, all the way down."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: lower_first(item) for key, item in value.items()}
    if isinstance(value, list):
        return [lower_first(item) for item in value]
    return value


def tags(properties: Properties) -> dict[str, str]:
    """Return the declared tags, by key."""
    declared = properties.get("Tags", [])
    if isinstance(declared, dict):
        return dict(declared)
    return {tag["Key"]: tag["Value"] for tag in declared}
