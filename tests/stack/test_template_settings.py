"""Every setting of a stage changes what it says."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.config import StageConfig, settings
from model_store.gate.steps import parse_target
from tests.build.assets import asset, stand_in_assets
from tests.build.templates import CONTEXT, Template, stacks, synthesize, text
from warmstart import stacks as stack_names
from warmstart.errors import InvalidSetting

pytestmark = pytest.mark.xdist_group("template")


def serving(**over: Any) -> Template:
    return stacks(**over).serving


def alarm(template: Template, metric: str) -> Any:
    return template.one("CloudWatch::Alarm", lambda found: found["MetricName"] == metric)


ED25519 = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032, 7.1, test 1
SIGNATURES: dict[str, Any] = {"require_signature": "true", "signing_public_keys": ED25519}

CHANGED: dict[str, Any] = {
    "architecture": "x86_64",
    "python": "3.12",
    "memory_mb": "3008",
    "timeout_s": "7",
    "concurrency": "12",
    "ephemeral_storage_mb": "2048",
    "alias_ttl_s": "60",
    "throttle_rate": "2.5",
    "throttle_burst": "5",
    "quota_per_day": "1000",
    "log_retention_days": "7",
    "alarm_email": "ops@example.org",
    "p99_alarm_ms": "250",
    "noncurrent_version_days": "3",
    "provisioned_concurrency": "2",
    "provisioned_concurrency_max": "8",
    "provisioned_schedule": "cron(0 7 ? * MON-FRI *)=5,cron(0 19 ? * MON-FRI *)=0",
    "keep_warm_minutes": "4",
    "server_timing": "true",
    "warm_up": "true",
    "default_model": "iris@canary",
    "v1_protocol": "kserve",
    "preload": "iris,digits:2",
}
"""One synthesis with everything else than its default, as the command line gives it."""


@pytest.fixture
def changed() -> Template:
    return serving(**CHANGED)


def test_every_setting_is_tested_here() -> None:
    assert set(CHANGED) | {
        "stage",
        "layer_platform",
        "baked_models",
        "packaging",
        "payload_locations",
        "snap_start",
        *SIGNATURES,
    } == set(settings())


def test_stage_names_stacks_stage_and_logs() -> None:
    template = serving(stages={"dev": {}}, stage="dev")

    assert template.path.name == "warmstart-dev-serving.template.json"
    assert template.one("ApiGateway::Stage")["StageName"] == "dev"
    assert template.function("inference")["LoggingConfig"]["LogGroup"]["Ref"] in template.ids("Logs::LogGroup")
    assert "/warmstart/dev/inference" in {text(group["LogGroupName"]) for group in template.of("Logs::LogGroup")}
    assert template.function("inference")["Environment"]["Variables"]["WARMSTART_STAGE"] == "dev"


def test_two_stages_stand_side_by_side() -> None:
    dev, prod = serving(stages={"dev": {}}, stage="dev"), serving()

    def taken(template: Template) -> set[str]:
        groups = {str(group["LogGroupName"]) for group in template.of("Logs::LogGroup")}
        return {template.path.name, template.one("ApiGateway::RestApi")["Name"], *groups}

    assert not taken(dev) & taken(prod)


def test_architecture_and_python_are_those_of_functions_and_layers(changed: Template) -> None:
    for function in changed.of("Lambda::Function"):
        assert (function["Architectures"], function["Runtime"]) == (["x86_64"], "python3.12")
    for layer in changed.of("Lambda::LayerVersion"):
        assert (layer["CompatibleArchitectures"], layer["CompatibleRuntimes"]) == (["x86_64"], ["python3.12"])


def test_the_default_is_python_3_13_on_arm64() -> None:
    for function in serving().of("Lambda::Function"):
        assert (function["Architectures"], function["Runtime"]) == (["arm64"], "python3.13")


def test_layer_platform_changes_nothing_in_the_template() -> None:
    assert serving(layer_platform="host").document == serving().document


def test_memory_disk_and_concurrency_are_the_inference_functions(changed: Template) -> None:
    inference, control = changed.function("inference"), changed.function("control")

    assert (inference["MemorySize"], control["MemorySize"]) == (3008, 512)
    assert (inference["EphemeralStorage"], control["EphemeralStorage"]) == ({"Size": 2048}, {"Size": 512})
    assert inference["ReservedConcurrentExecutions"] == 12
    assert "ReservedConcurrentExecutions" not in control


def test_no_concurrency_is_reserved_unless_asked_for() -> None:
    assert "ReservedConcurrentExecutions" not in serving().function("inference")


def test_provisioned_concurrency_is_the_inference_aliases_own(changed: Template) -> None:
    found = [alias["ProvisionedConcurrencyConfig"] for alias in changed.of("Lambda::Alias") if len(alias) > 3]

    assert found == [{"ProvisionedConcurrentExecutions": 2}]


def test_it_follows_its_use_and_the_clock(changed: Template) -> None:
    target = changed.one("ApplicationAutoScaling::ScalableTarget")
    policy = changed.one("ApplicationAutoScaling::ScalingPolicy")["TargetTrackingScalingPolicyConfiguration"]

    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 8)
    assert target["ScalableDimension"] == "lambda:function:ProvisionedConcurrency"
    assert policy["TargetValue"] == 0.7
    assert [(found["Schedule"], found["ScalableTargetAction"]) for found in target["ScheduledActions"]] == [
        ("cron(0 7 ? * MON-FRI *)", {"MinCapacity": 5, "MaxCapacity": 8}),
        ("cron(0 19 ? * MON-FRI *)", {"MinCapacity": 0, "MaxCapacity": 8}),
    ]


def test_an_environment_is_kept_warm_by_a_schedule(changed: Template) -> None:
    rule = changed.one("Events::Rule")
    [alias] = re.findall(r"<(\w+)>", text(rule["Targets"][0]["Arn"]))

    assert rule["ScheduleExpression"] == "rate(4 minutes)"
    assert json.loads(rule["Targets"][0]["Input"]) == {"httpMethod": "GET", "path": "/v2/health/live"}
    assert changed.resources[alias]["Type"] == "AWS::Lambda::Alias"


def test_nothing_is_kept_ready_unless_asked_for() -> None:
    template = serving()

    assert not any("ProvisionedConcurrencyConfig" in found for found in template.of("Lambda::Alias"))
    assert not template.of("ApplicationAutoScaling::ScalableTarget")
    assert not template.of("Events::Rule")
    assert not any("SnapStart" in found for found in template.of("Lambda::Function"))


def test_snapshots_are_taken_of_published_versions_of_the_inference_function() -> None:
    template = serving(snap_start="true", ephemeral_storage_mb="512")

    assert template.function("inference")["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "SnapStart" not in template.function("control")


def test_as_an_image_the_function_has_its_code_and_its_layers_in_it(tmp_path: Path) -> None:
    context = asset(tmp_path / "image", {"Dockerfile": "FROM scratch\n"}).path
    assets = replace(stand_in_assets(tmp_path / "assets"), inference_image=context)
    template = synthesize(tmp_path / "cdk.out", assets, packaging="image").serving
    function = template.one("Lambda::Function", lambda found: found.get("PackageType") == "Image")

    assert "ImageUri" in function["Code"]
    assert not {"Layers", "Runtime", "Handler"} & set(function)
    assert (function["MemorySize"], function["Architectures"]) == (1769, ["arm64"])
    assert template.function("control")["Runtime"] == "python3.13"


def test_the_function_is_told_its_default_model_and_whose_v1_it_speaks(changed: Template) -> None:
    variables = changed.function("inference")["Environment"]["Variables"]

    assert (variables["WARMSTART_DEFAULT_MODEL"], variables["WARMSTART_V1_PROTOCOL"]) == ("iris@canary", "kserve")


def test_answers_say_where_their_time_went_if_asked_to(changed: Template) -> None:
    assert changed.function("inference")["Environment"]["Variables"]["WARMSTART_SERVER_TIMING"] == "true"


def test_sessions_are_warmed_up_if_asked_to(changed: Template) -> None:
    assert changed.function("inference")["Environment"]["Variables"]["WARMSTART_WARM_UP"] == "true"


def test_timeout_is_that_of_both_functions(changed: Template) -> None:
    assert {function["Timeout"] for function in changed.of("Lambda::Function")} == {7}


def test_alias_ttl_is_told_to_the_inference_function(changed: Template) -> None:
    assert changed.function("inference")["Environment"]["Variables"]["WARMSTART_ALIAS_TTL_S"] == "60"


def test_throttle_is_that_of_the_key_and_of_each_method(changed: Template) -> None:
    [everything] = changed.one("ApiGateway::Stage")["MethodSettings"]

    assert changed.one("ApiGateway::UsagePlan")["Throttle"] == {"RateLimit": 2.5, "BurstLimit": 5}
    assert (everything["ThrottlingRateLimit"], everything["ThrottlingBurstLimit"]) == (2.5, 5)


def test_quota_is_per_day_and_only_if_asked_for(changed: Template) -> None:
    assert changed.one("ApiGateway::UsagePlan")["Quota"] == {"Limit": 1000, "Period": "DAY"}
    assert "Quota" not in serving().one("ApiGateway::UsagePlan")


def test_log_retention_is_that_of_every_log(changed: Template) -> None:
    assert {group["RetentionInDays"] for group in changed.of("Logs::LogGroup")} == {7}


@pytest.mark.parametrize("days", settings()["log_retention_days"].kind.among)  # type: ignore[attr-defined]
def test_every_allowed_retention_is_one_that_cloudwatch_has(days: int) -> None:
    from infra.constructs.function import retention

    assert retention(days)


def test_alarms_write_to_the_address(changed: Template) -> None:
    [topic] = changed.ids("SNS::Topic")
    subscription = changed.one("SNS::Subscription")

    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.org")
    assert [found["AlarmActions"] for found in changed.of("CloudWatch::Alarm")] == [[{"Ref": topic}]] * 5


def test_nobody_but_the_accounts_alarms_may_publish_to_the_topic(changed: Template) -> None:
    policy = changed.one("SNS::TopicPolicy")["PolicyDocument"]
    [allowed] = [found for found in policy["Statement"] if found["Effect"] == "Allow"]
    [denied] = [found for found in policy["Statement"] if found["Effect"] == "Deny"]

    assert (allowed["Action"], allowed["Principal"]) == ("sns:Publish", {"Service": "cloudwatch.amazonaws.com"})
    assert text(allowed["Condition"]["ArnLike"]["aws:SourceArn"]) == (
        "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:*"
    )
    assert (denied["Principal"], denied["Condition"]) == ("*", {"Bool": {"aws:SecureTransport": "false"}})


def test_alarms_write_to_nobody_unless_asked_to() -> None:
    assert not serving().of("SNS::Topic")
    assert not any("AlarmActions" in found for found in serving().of("CloudWatch::Alarm"))


def test_the_latency_alarm_has_its_threshold(changed: Template) -> None:
    found = alarm(changed, "Duration")

    assert (found["Threshold"], found["DatapointsToAlarm"], found["EvaluationPeriods"]) == (250, 3, 5)


def test_old_versions_are_kept_as_long_as_asked() -> None:
    bucket = stacks(**CHANGED).store.one("S3::Bucket", lambda found: "VersioningConfiguration" in found)

    assert bucket["LifecycleConfiguration"]["Rules"][0]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 3}


def test_baked_models_are_one_more_layer_of_the_inference_function(tmp_path: Path) -> None:
    model_layer = asset(tmp_path / "models", {"models/iris/3/model.onnx": "graph"})
    assets = replace(stand_in_assets(tmp_path / "assets"), model_layer=model_layer)

    baked = synthesize(tmp_path / "cdk.out", assets, baked_models="iris:3").serving

    assert len(baked.function("inference")["Layers"]) == len(serving().function("inference")["Layers"]) + 1
    assert len(baked.function("control")["Layers"]) == 1
    assert baked.function("inference")["Environment"]["Variables"]["WARMSTART_MODELS_DIR"] == "/opt/models"


def test_signatures_are_asked_for_with_a_layer_and_the_keys_that_they_are_checked_with(tmp_path: Path) -> None:
    layer = asset(tmp_path / "signing", {"python/signing_layer.py": "NAME = 'signing'\n"})
    assets = replace(stand_in_assets(tmp_path / "assets"), signing_layer=layer)

    signed = synthesize(tmp_path / "cdk.out", assets, **SIGNATURES).serving

    assert len(signed.function("inference")["Layers"]) == len(serving().function("inference")["Layers"]) + 1
    assert len(signed.function("control")["Layers"]) == 1
    assert signed.function("inference")["Environment"]["Variables"]["WARMSTART_SIGNED_BY"] == ED25519
    assert "WARMSTART_SIGNED_BY" not in signed.function("control")["Environment"]["Variables"]
    target = parse_target(signed.document["Outputs"][stack_names.INFERENCE_TARGET]["Value"], where="output")
    assert [key_id[:16] for key_id in target.signed_by] == ["06e3fd8fda29bb60"]  # sha256 of the DER


def test_models_to_preload_are_told_to_the_inference_function_alone(changed: Template) -> None:
    assert changed.function("inference")["Environment"]["Variables"]["WARMSTART_PRELOAD"] == "iris,digits:2"
    assert "WARMSTART_PRELOAD" not in changed.function("control")["Environment"]["Variables"]
    assert "WARMSTART_PRELOAD" not in serving().function("inference")["Environment"]["Variables"]


def test_keys_alone_change_nothing() -> None:
    assert serving(signing_public_keys=[ED25519]).document == serving().document


def test_a_key_to_check_with_gives_the_function_no_right() -> None:
    def rights(template: Template) -> list[str]:
        return [str(role["Policies"]) for role in template.of("IAM::Role") if role.get("Policies")]

    assert rights(serving(**SIGNATURES)) == rights(serving())


def test_bodies_may_lie_below_the_prefixes_that_are_named_and_nowhere_else() -> None:
    template = serving(payload_locations="s3://bodies/in/,s3://bodies/out/")

    variables = template.function("inference")["Environment"]["Variables"]
    assert variables["WARMSTART_PAYLOAD_LOCATIONS"] == "s3://bodies/in/,s3://bodies/out/"
    assert "WARMSTART_PAYLOAD_LOCATIONS" not in template.function("control")["Environment"]["Variables"]
    statements = [
        statement
        for role in template.of("IAM::Role")
        for policy in role.get("Policies", ())
        for statement in policy["PolicyDocument"]["Statement"]
        if "bodies" in str(statement["Resource"])
    ]
    [statement] = statements
    assert (statement["Effect"], statement["Action"]) == ("Allow", ["s3:GetObject", "s3:PutObject"])
    assert [text(resource) for resource in statement["Resource"]] == [
        "arn:<AWS::Partition>:s3:::bodies/in/*",
        "arn:<AWS::Partition>:s3:::bodies/out/*",
    ]


@pytest.mark.parametrize(
    "location",
    ["s3://bodies", "s3://bodies/in", "s3://bodies/*/", "s3://bodies/in/../", "s3://Bodies/", "https://bodies/in/"],
)
def test_a_prefix_that_a_policy_would_read_in_another_way_is_refused(location: str) -> None:
    with pytest.raises(InvalidSetting, match="payload_locations: expected at most 20, each `s3://bucket/prefix/`"):
        StageConfig(payload_locations=(location,))


def test_the_inference_function_is_told_what_its_libraries_need() -> None:
    variables = serving().function("inference")["Environment"]["Variables"]

    assert {name: text(value) for name, value in variables.items()} == {
        "WARMSTART_STORE_BUCKET": "<warmstart-prod-store-bucket>",
        "WARMSTART_STAGE": "prod",
        "WARMSTART_ALIAS_TTL_S": "10",
        "WARMSTART_MODELS_DIR": "/opt/models",
        "POWERTOOLS_SERVICE_NAME": "inference",
        "POWERTOOLS_METRICS_NAMESPACE": "Warmstart",
        "TMPDIR": "/tmp",
        "HOME": "/tmp",
        "ORT_DISABLE_TELEMETRY": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def test_cdk_json_sets_nothing_that_a_default_would_not() -> None:
    assert CONTEXT["stages"] == {"prod": {}}
