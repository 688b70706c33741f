"""The order in which a template's resources are made."""

from __future__ import annotations

import pytest

from local.aws.template import in_order, needs, references


def test_a_resource_comes_after_what_it_refers_to() -> None:
    resources = {"Alias": {"Properties": {"Version": {"Fn::GetAtt": ["Version", "Version"]}}}, "Version": {}}
    assert in_order(resources) == ["Version", "Alias"]


def test_a_resource_comes_after_what_it_depends_on() -> None:
    resources = {"Deployment": {"DependsOn": ["Method", "Model"]}, "Model": {}, "Method": {}}
    assert in_order(resources) == ["Method", "Model", "Deployment"]


def test_one_dependency_may_be_a_string() -> None:
    assert list(needs({"DependsOn": "Role"})) == ["Role"]


def test_references_are_found_in_substitutions() -> None:
    sub = {"Fn::Sub": ["${Api}-${given}-${Stage.Name}-${!literal}", {"given": {"Ref": "Bucket"}}]}
    assert sorted(references(sub)) == ["Api", "Bucket", "Stage"]


def test_references_are_found_in_lists_and_joins() -> None:
    assert list(references([{"Fn::Join": ["", ["arn:", {"Ref": "Topic"}]]}])) == ["Topic"]


def test_parameters_are_no_resources() -> None:
    assert in_order({"Bucket": {"Properties": {"BucketName": {"Ref": "Name"}}}}) == ["Bucket"]


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="Circular dependency between resources: A"):
        in_order({"A": {"DependsOn": "B"}, "B": {"DependsOn": "A"}})
