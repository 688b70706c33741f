"""The types and rules that moto's CloudFormation is taught, each through boto3 in this process."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.aws import stacks

REGION = "us-east-1"
Template = dict[str, Any]

LAMBDA_URI = {
    "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Live}/invocations",
}
TEMPLATE: Template = {
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}},
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": "def handler(event, context): return 1"},
                "Handler": "index.handler",
                "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Architectures": ["arm64"],
                "TracingConfig": {"Mode": "Active"},
                "ReservedConcurrentExecutions": 3,
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "Name": "live",
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Live"},
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
            },
        },
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api"}},
        "Validator": {
            "Type": "AWS::ApiGateway::RequestValidator",
            "Properties": {"RestApiId": {"Ref": "Api"}, "ValidateRequestBody": True},
        },
        "Model": {
            "Type": "AWS::ApiGateway::Model",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "Name": "Infer",
                "ContentType": "application/json",
                "Schema": {"type": "object"},
            },
        },
        "Method": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "HttpMethod": "POST",
                "AuthorizationType": "NONE",
                "ApiKeyRequired": True,
                "RequestValidatorId": {"Ref": "Validator"},
                "RequestModels": {"application/json": {"Ref": "Model"}},
                "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": LAMBDA_URI},
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Method"],
            "Properties": {"RestApiId": {"Ref": "Api"}},
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "DeploymentId": {"Ref": "Deployment"},
                "StageName": "prod",
                "MethodSettings": [
                    {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 2}
                ],
            },
        },
        "Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True}},
        "Plan": {
            "Type": "AWS::ApiGateway::UsagePlan",
            "Properties": {
                "ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}],
                "Throttle": {"RateLimit": 10, "BurstLimit": 20},
                "Quota": {"Limit": 100, "Period": "DAY"},
            },
        },
        "PlanKey": {
            "Type": "AWS::ApiGateway::UsagePlanKey",
            "Properties": {"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
        },
        "Missing": {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResponseType": "DEFAULT_4XX",
                "ResponseTemplates": {"application/json": "{}"},
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "ExtendedStatistic": "p99",
                "Namespace": "AWS/Lambda",
                "MetricName": "Duration",
                "Threshold": 1.5,
                "Period": 300,
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True},
                "LifecycleConfiguration": {
                    "Rules": [{"Id": "old", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]
                },
            },
        },
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": {"Fn::GetAtt": ["Bucket", "Arn"]},
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ]
                },
            },
        },
    },
    "Outputs": {"Live": {"Value": {"Ref": "Live"}, "Export": {"Name": "live"}}},
}


@pytest.fixture(autouse=True)
def taught() -> Iterator[None]:
    stacks.install()
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


@cache
def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]  # any service's, by name


def create(template: Template, name: str = "stack") -> None:
    client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def update(template: Template, name: str = "stack") -> None:
    client("cloudformation").update_stack(StackName=name, TemplateBody=json.dumps(template))


def ids(name: str = "stack") -> dict[str, str]:
    """Physical ids by logical id."""
    found = client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}


def status(name: str = "stack") -> str:
    return str(client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


def reasons(name: str = "stack") -> dict[str, str]:
    """Why resources failed."""
    events = client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return {e["LogicalResourceId"]: e["ResourceStatusReason"] for e in events if e["ResourceStatus"].endswith("FAILED")}


def changed_code() -> Template:
    """The same with other code and, as the CDK does it, a version of another logical id."""
    template = copy.deepcopy(TEMPLATE)
    resources = template["Resources"]
    resources["Function"]["Properties"]["Code"]["ZipFile"] = "def handler(event, context): return 2"
    resources["Version2"] = resources.pop("Version")
    resources["Live"]["Properties"]["FunctionVersion"] = {"Fn::GetAtt": ["Version2", "Version"]}
    return template


def test_a_function_keeps_what_was_declared() -> None:
    create(TEMPLATE)
    config = client("lambda").get_function_configuration(FunctionName=ids()["Function"])
    assert config["Architectures"] == ["arm64"]
    assert config["TracingConfig"] == {"Mode": "Active"}
    concurrency = client("lambda").get_function_concurrency(FunctionName=ids()["Function"])
    assert concurrency["ReservedConcurrentExecutions"] == 3


def test_versions_and_aliases_refer_by_arn() -> None:
    create(TEMPLATE)
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{ids()['Function']}"
    assert (ids()["Version"], ids()["Live"]) == (f"{arn}:1", f"{arn}:live")


def test_new_code_is_published_as_a_new_version_and_the_alias_moves() -> None:
    create(TEMPLATE)
    update(changed_code())
    assert client("lambda").get_alias(FunctionName=ids()["Function"], Name="live")["FunctionVersion"] == "2"


def test_a_version_number_is_never_used_again() -> None:
    create(TEMPLATE)
    update(changed_code())
    update(TEMPLATE)
    assert client("lambda").get_alias(FunctionName=ids()["Function"], Name="live")["FunctionVersion"] == "3"


def test_a_permission_on_an_alias_names_the_alias() -> None:
    create(TEMPLATE)
    policy = json.loads(client("lambda").get_policy(FunctionName=ids()["Function"])["Policy"])
    [statement] = policy["Statement"]
    assert statement["Resource"].endswith(":live")


def test_a_method_keeps_validator_models_and_key() -> None:
    create(TEMPLATE)
    [resource] = client("apigateway").get_resources(restApiId=ids()["Api"], embed=["methods"])["items"]
    method = resource["resourceMethods"]["POST"]
    assert method["requestValidatorId"] == ids()["Validator"]
    assert method["requestModels"] == {"application/json": "Infer"}
    assert method["apiKeyRequired"] is True


def test_a_stage_keeps_its_throttle() -> None:
    create(TEMPLATE)
    stage = client("apigateway").get_stage(restApiId=ids()["Api"], stageName="prod")
    assert stage["deploymentId"] == ids()["Deployment"]
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 5.0
    assert stage["methodSettings"]["*/*"]["throttlingBurstLimit"] == 2


def test_a_key_belongs_to_its_plan() -> None:
    create(TEMPLATE)
    gateway = client("apigateway")
    key = gateway.get_api_key(apiKey=ids()["Key"], includeValue=True)
    [member] = gateway.get_usage_plan_keys(usagePlanId=ids()["Plan"])["items"]
    plan = gateway.get_usage_plan(usagePlanId=ids()["Plan"])
    assert (member["id"], member["value"]) == (key["id"], key["value"])
    assert plan["apiStages"] == [{"apiId": ids()["Api"], "stage": "prod"}]
    assert plan["throttle"] == {"rateLimit": 10.0, "burstLimit": 20}


def test_an_alarm_keeps_its_percentile() -> None:
    create(TEMPLATE)
    [alarm] = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert (alarm["ExtendedStatistic"], alarm["Threshold"]) == ("p99", 1.5)


def test_a_bucket_keeps_versioning_access_block_and_lifecycle() -> None:
    create(TEMPLATE)
    s3, bucket = client("s3"), ids()["Bucket"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"] is True
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30


def test_a_deny_with_a_condition_is_left_out() -> None:
    create(TEMPLATE)
    client("s3").put_object(Bucket=ids()["Bucket"], Key="k", Body=b"1")
    policy = client("s3").get_bucket_policy(Bucket=ids()["Bucket"])["Policy"]
    assert json.loads(policy)["Statement"] == []


def test_a_changed_setting_is_updated_in_place() -> None:
    create(TEMPLATE)
    before = ids()
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Plan"]["Properties"]["Throttle"]["RateLimit"] = 1
    template["Resources"]["Log"]["Properties"]["RetentionInDays"] = 14
    update(template)
    assert ids() == before
    assert client("apigateway").get_usage_plan(usagePlanId=before["Plan"])["throttle"]["rateLimit"] == 1.0
    [group] = [g for g in client("logs").describe_log_groups()["logGroups"] if g["logGroupName"] == before["Log"]]
    assert group["retentionInDays"] == 14


def test_an_unknown_type_is_an_error_that_names_it_and_nothing_is_left() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Odd"] = {"Type": "AWS::Odd::Thing", "DependsOn": ["Stage"]}
    create(template)
    assert status() == "ROLLBACK_COMPLETE"
    assert reasons()["Odd"].startswith("the twin does not know the resource type AWS::Odd::Thing")
    assert client("lambda").list_functions()["Functions"] == []
    assert client("apigateway").get_rest_apis()["items"] == []
    assert client("cloudformation").list_exports()["Exports"] == []


def test_a_custom_resource_is_an_error_that_names_it() -> None:
    create({"Resources": {"Own": {"Type": "Custom::Own", "Properties": {"ServiceToken": "arn"}}}})
    assert reasons()["Own"].startswith("the twin does not know the resource type Custom::Own")


def test_a_failed_update_is_rolled_back() -> None:
    create(TEMPLATE)
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Plan"]["Properties"]["Throttle"]["RateLimit"] = 1
    template["Resources"]["Odd"] = {"Type": "AWS::Odd::Thing", "DependsOn": ["Plan"]}
    update(template)
    assert status() == "UPDATE_ROLLBACK_COMPLETE"
    assert client("apigateway").get_usage_plan(usagePlanId=ids()["Plan"])["throttle"]["rateLimit"] == 10.0


def test_a_retained_resource_outlives_its_stack() -> None:
    create({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}}})
    client("cloudformation").delete_stack(StackName="stack")
    assert len(client("s3").list_buckets()["Buckets"]) == 1


def test_a_bucket_with_objects_is_not_deleted() -> None:
    create({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}})
    client("s3").put_object(Bucket=ids()["Bucket"], Key="k", Body=b"1")
    with pytest.raises(ClientError, match="is not empty"):
        client("cloudformation").delete_stack(StackName="stack")
    assert status() == "DELETE_FAILED"


def test_deleting_a_stack_leaves_nothing() -> None:
    create(TEMPLATE)
    client("cloudformation").delete_stack(StackName="stack")
    left = (
        client("lambda").list_functions()["Functions"],
        client("apigateway").get_rest_apis()["items"],
        client("apigateway").get_api_keys()["items"],
        client("apigateway").get_usage_plans()["items"],
        client("cloudwatch").describe_alarms()["MetricAlarms"],
        client("logs").describe_log_groups()["logGroups"],
        client("s3").list_buckets()["Buckets"],
        client("iam").list_roles()["Roles"],
    )
    assert left == ([], [], [], [], [], [], [], [])


def test_a_changed_export_is_seen_by_the_next_stack() -> None:
    create({"Resources": {"A": {"Type": "AWS::S3::Bucket"}}, "Outputs": _export("A")})
    update({"Resources": {"B": {"Type": "AWS::S3::Bucket"}}, "Outputs": _export("B")})
    [export] = client("cloudformation").list_exports()["Exports"]
    assert export["Value"] == ids()["B"]


def _export(name: str) -> dict[str, Any]:
    return {"Out": {"Value": {"Ref": name}, "Export": {"Name": "out"}}}
