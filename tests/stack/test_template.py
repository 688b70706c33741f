"""What the template promises about security: one test per promise. docs/security.md lists them."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.constructs.api import ADMIN, PREDICTIONS
from tests.build.templates import stacks, statements, text

pytestmark = pytest.mark.xdist_group("template")

STORE = "arn:<AWS::Partition>:s3:::<warmstart-prod-store-bucket>"


def models_bucket() -> Mapping[str, Any]:
    return stacks().store.one("S3::Bucket", lambda bucket: "VersioningConfiguration" in bucket)


def rights(function: str) -> dict[str, Mapping[str, Any]]:
    """Statements of a function's role by their sid: all that the role has."""
    template = stacks().serving
    [role_name, attribute] = template.function(function)["Role"]["Fn::GetAtt"]
    assert attribute == "Arn"
    role = template.resources[role_name]["Properties"]
    assert "ManagedPolicyArns" not in role
    [policy] = role["Policies"]
    return {statement["Sid"]: statement for statement in statements(policy["PolicyDocument"])}


def allowed(function: str, sid: str) -> tuple[set[str], set[str]]:
    """What a statement allows: actions and resources."""
    statement = rights(function)[sid]
    assert statement["Effect"] == "Allow"
    return as_set(statement["Action"]), as_set(statement["Resource"])


def as_set(value: Any) -> set[str]:
    return {text(item) for item in (value if isinstance(value, list) else [value])}


def methods() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every method of the API with its path."""
    template = stacks().serving
    for method in template.of("ApiGateway::Method"):
        yield path_of(method["ResourceId"]), method


def path_of(reference: Mapping[str, Any]) -> str:
    if "Ref" not in reference:
        return ""
    resource = stacks().serving.resources[reference["Ref"]]["Properties"]
    return f"{path_of(resource['ParentId'])}/{resource['PathPart']}"


# The store


def test_what_is_overwritten_or_deleted_in_the_store_can_be_brought_back() -> None:
    assert models_bucket()["VersioningConfiguration"] == {"Status": "Enabled"}


def test_every_bucket_is_encrypted_at_rest() -> None:
    for bucket in stacks().store.of("S3::Bucket"):
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]


def test_no_bucket_can_be_made_public() -> None:
    for bucket in stacks().store.of("S3::Bucket"):
        assert bucket["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }


def test_no_bucket_has_access_lists() -> None:
    for bucket in stacks().store.of("S3::Bucket"):
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_every_bucket_refuses_plain_http() -> None:
    template = stacks().store
    refusing = {
        text(policy["Bucket"])
        for policy in template.of("S3::BucketPolicy")
        for statement in statements(policy["PolicyDocument"])
        if statement["Effect"] == "Deny"
        and statement["Action"] == "s3:*"
        and statement["Principal"] == {"AWS": "*"}
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }

    assert refusing == {f"<{name}>" for name in template.ids("S3::Bucket")}


def test_the_store_refuses_tls_below_1_2() -> None:
    assert any(
        statement["Effect"] == "Deny" and statement["Condition"] == {"NumericLessThan": {"s3:TlsVersion": 1.2}}
        for policy in stacks().store.of("S3::BucketPolicy")
        for statement in statements(policy["PolicyDocument"])
    )


def test_every_access_to_the_store_is_recorded() -> None:
    logs = stacks().store.resources[models_bucket()["LoggingConfiguration"]["DestinationBucketName"]["Ref"]]

    assert logs["Type"] == "AWS::S3::Bucket"
    assert logs["Properties"]["LifecycleConfiguration"]["Rules"] == [
        {"Id": "expire", "ExpirationInDays": 90, "Status": "Enabled"}
    ]


def test_half_uploaded_files_and_old_versions_are_removed() -> None:
    assert models_bucket()["LifecycleConfiguration"]["Rules"] == [
        {
            "Id": "expire-noncurrent",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "ExpiredObjectDeleteMarker": True,
            "Status": "Enabled",
        },
        {
            "Id": "abort-uploads",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            "Status": "Enabled",
        },
        {
            "Id": "expire-uploads",
            "Prefix": "uploads/",
            "ExpirationInDays": 1,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
            "Status": "Enabled",
        },
    ]


def test_destroying_the_stack_leaves_the_store() -> None:
    buckets = [found for found in stacks().store.resources.values() if found["Type"] == "AWS::S3::Bucket"]

    assert {(found["DeletionPolicy"], found["UpdateReplacePolicy"]) for found in buckets} == {("Retain", "Retain")}


# The functions


def test_the_inference_function_can_read_the_store_and_change_nothing() -> None:
    assert set(rights("inference")) == {"ReadModels", "TellMissingFromDenied", "WriteOwnLogs", "WriteTraces"}
    assert allowed("inference", "ReadModels") == ({"s3:GetObject"}, {f"{STORE}/models/*"})
    assert allowed("inference", "TellMissingFromDenied") == ({"s3:ListBucket"}, {STORE})


def test_the_control_function_can_move_aliases_and_write_nothing_else() -> None:
    assert set(rights("control")) == {
        *("ReadModels", "TellMissingFromDenied", "MoveAliases", "NeverTouchVersions", "WriteOwnLogs", "WriteTraces")
    }
    assert allowed("control", "MoveAliases") == (
        {"s3:PutObject"},
        {f"{STORE}/models/*/aliases/*", f"{STORE}/models/*/history/*"},
    )


def test_the_control_function_cannot_touch_a_published_version() -> None:
    statement = rights("control")["NeverTouchVersions"]

    assert statement["Effect"] == "Deny"
    assert as_set(statement["Action"]) == {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"}
    assert as_set(statement["Resource"]) == {f"{STORE}/models/*/versions/*"}


@pytest.mark.parametrize("function", ["inference", "control"])
def test_a_function_writes_to_its_own_log_alone(function: str) -> None:
    log_group = stacks().serving.function(function)["LoggingConfig"]["LogGroup"]["Ref"]

    assert allowed(function, "WriteOwnLogs") == (
        {"logs:CreateLogStream", "logs:PutLogEvents"},
        {f"<{log_group}.Arn>"},
    )


@pytest.mark.parametrize("function", ["inference", "control"])
def test_a_functions_role_is_for_lambda_alone(function: str) -> None:
    template = stacks().serving
    role = template.resources[template.function(function)["Role"]["Fn::GetAtt"][0]]["Properties"]
    [statement] = statements(role["AssumeRolePolicyDocument"])

    assert statement == {
        "Action": "sts:AssumeRole",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }


def test_only_the_gateway_and_only_this_api_may_invoke() -> None:
    template = stacks().serving
    [api] = template.ids("ApiGateway::RestApi")

    permissions = template.of("Lambda::Permission")
    assert {text(found["FunctionName"]) for found in permissions} == {
        f"<{name}>" for name in template.ids("Lambda::Alias")
    }
    for permission in permissions:
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert text(permission["SourceArn"]) == (
            f"arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<{api}>/*/*/*"
        )


def test_functions_are_traced() -> None:
    assert {text(found["TracingConfig"]) for found in stacks().serving.of("Lambda::Function")} == {"{'Mode': 'Active'}"}


# The gateway


def test_the_api_has_the_documented_paths_and_no_others() -> None:
    expected = {
        *((path, method) for path, methods in PREDICTIONS.items() for method in methods),
        *((path, "ANY") for path in ADMIN),
    }

    assert {(path, method["HttpMethod"]) for path, method in methods()} == expected
    assert len(expected) == 19


def test_no_prediction_without_an_api_key() -> None:
    for path, method in methods():
        if not path.startswith("/admin"):
            assert method["ApiKeyRequired"] is True, path


def test_no_control_without_a_signature_of_iam() -> None:
    admin = [method for path, method in methods() if path.startswith("/admin")]

    assert [method["AuthorizationType"] for method in admin] == ["AWS_IAM", "AWS_IAM"]


def test_predictions_and_control_reach_their_own_functions_through_live() -> None:
    template = stacks().serving
    for path, method in methods():
        integration = method["Integration"]
        [alias] = re.findall(r"functions/<(\w+)>/invocations", text(integration["Uri"]))
        properties = template.resources[alias]["Properties"]
        function = template.resources[properties["FunctionName"]["Ref"]]["Properties"]
        name = "control" if path.startswith("/admin") else "inference"

        assert (integration["Type"], integration["IntegrationHttpMethod"]) == ("AWS_PROXY", "POST")
        assert properties["Name"] == "live"
        assert function["Handler"] == f"handlers.{name}.lambda_handler.handler"


def test_every_body_goes_through_as_it_is() -> None:
    template = stacks().serving

    assert template.one("ApiGateway::RestApi")["BinaryMediaTypes"] == ["*/*"]
    assert template.of("ApiGateway::RequestValidator") == []


def test_the_endpoint_refuses_tls_below_1_2() -> None:
    api = stacks().serving.one("ApiGateway::RestApi")

    assert api["SecurityPolicy"] == "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
    assert api["EndpointAccessMode"] == "STRICT"


def test_the_endpoint_is_regional() -> None:
    assert stacks().serving.one("ApiGateway::RestApi")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_no_other_origin_is_let_in() -> None:
    document = json.dumps(stacks().serving.document)

    assert "Access-Control-Allow" not in document
    assert "OPTIONS" not in {method["HttpMethod"] for _, method in methods()}


def test_a_key_is_throttled_and_so_is_each_method() -> None:
    template = stacks().serving
    [everything] = template.one("ApiGateway::Stage")["MethodSettings"]

    assert template.one("ApiGateway::UsagePlan")["Throttle"] == {"RateLimit": 100, "BurstLimit": 200}
    assert (everything["HttpMethod"], everything["ResourcePath"]) == ("*", "/*")
    assert (everything["ThrottlingRateLimit"], everything["ThrottlingBurstLimit"]) == (100, 200)


def test_the_key_is_on_the_plan_and_the_plan_on_the_stage() -> None:
    template = stacks().serving
    [key] = template.ids("ApiGateway::ApiKey")
    [plan] = template.ids("ApiGateway::UsagePlan")
    [stage] = template.ids("ApiGateway::Stage")
    link = template.one("ApiGateway::UsagePlanKey")

    assert (link["KeyId"], link["UsagePlanId"]) == ({"Ref": key}, {"Ref": plan})
    assert template.one("ApiGateway::UsagePlan")["ApiStages"][0]["Stage"] == {"Ref": stage}


def test_every_request_is_in_the_access_log_and_no_key_or_body_is() -> None:
    setting = stacks().serving.one("ApiGateway::Stage")["AccessLogSetting"]
    line = json.loads(setting["Format"])

    assert {"requestId", "ip", "caller", "apiKeyId", "method", "path", "status", "errorType"} <= set(line)
    assert "$context.identity.apiKey" not in line.values()
    assert not any("$input" in value or "body" in value for value in line.values())


def test_the_gateway_logs_errors_and_never_bodies() -> None:
    [everything] = stacks().serving.one("ApiGateway::Stage")["MethodSettings"]

    assert everything["LoggingLevel"] == "ERROR"
    assert everything["DataTraceEnabled"] is False


def test_the_gateway_is_traced() -> None:
    assert stacks().serving.one("ApiGateway::Stage")["TracingEnabled"] is True


def test_every_log_ends_some_day() -> None:
    groups = stacks().serving.of("Logs::LogGroup")

    assert {text(group["LogGroupName"]) for group in groups} == {
        "/warmstart/prod/inference",
        "/warmstart/prod/control",
        "/warmstart/prod/gateway",
        f"API-Gateway-Execution-Logs_<{stacks().serving.ids('ApiGateway::RestApi')[0]}>/prod",
    }
    assert {group["RetentionInDays"] for group in groups} == {30}


def test_the_gateways_own_errors_have_the_protocols_shape() -> None:
    templates = {
        found["ResponseType"]: found["ResponseTemplates"]["application/json"]
        for found in stacks().serving.of("ApiGateway::GatewayResponse")
    }

    assert templates["DEFAULT_4XX"] == templates["DEFAULT_5XX"] == '{"error": $context.error.messageString}'
    assert json.loads(templates["INVALID_API_KEY"])["error"].startswith("expected the header x-api-key")
    assert json.loads(templates["MISSING_AUTHENTICATION_TOKEN"])["error"].startswith("no such path and method")


def test_a_change_of_the_api_waits_for_all_of_it_before_it_is_deployed() -> None:
    template = stacks().serving
    [deployment] = template.ids("ApiGateway::Deployment")
    waits = set(template.resources[deployment]["DependsOn"])

    assert waits >= {*template.ids("ApiGateway::Method"), *template.ids("ApiGateway::GatewayResponse")}


def test_the_logging_role_of_the_account_outlives_the_stack() -> None:
    template = stacks().serving
    [account] = template.ids("ApiGateway::Account")
    role = template.resources[account]["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]
    [stage] = template.ids("ApiGateway::Stage")

    assert template.resources[account]["DeletionPolicy"] == "Retain"
    assert template.resources[role]["DeletionPolicy"] == "Retain"
    assert account in template.resources[stage]["DependsOn"]


# Alarms


def test_errors_throttles_and_slow_answers_raise_alarms() -> None:
    alarms = {
        (alarm["Namespace"], alarm["MetricName"], alarm.get("Statistic", alarm.get("ExtendedStatistic")))
        for alarm in stacks().serving.of("CloudWatch::Alarm")
    }

    assert alarms == {
        ("AWS/Lambda", "Errors", "Sum"),
        ("AWS/Lambda", "Throttles", "Sum"),
        ("AWS/Lambda", "Duration", "p99"),
        ("AWS/ApiGateway", "5XXError", "Sum"),
    }


def test_the_alarms_watch_what_callers_reach() -> None:
    template = stacks().serving
    for alarm in template.of("CloudWatch::Alarm"):
        assert alarm["TreatMissingData"] == "notBreaching"
        if alarm["Namespace"] == "AWS/Lambda":
            [resource] = [entry["Value"] for entry in alarm["Dimensions"] if entry["Name"] == "Resource"]
            assert text(resource).endswith(">:live")
