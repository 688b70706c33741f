"""What `make sam-local` writes and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.sam import SamPlan, environment_of, plan

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Inference": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Environment": {
                    "Variables": {"WARMSTART_STORE_BUCKET": {"Ref": "Store"}, "WARMSTART_ALIAS_TTL_S": "10"}
                }
            },
            "Metadata": {"aws:cdk:path": "warmstart/Inference/Function/Resource", "aws:asset:path": "asset.2e"},
        },
        "Layer": {"Type": "AWS::Lambda::LayerVersion", "Metadata": {"aws:asset:path": "asset.1f.zip"}},
        "Store": {"Type": "AWS::S3::Bucket", "Properties": {}},
    }
}


def make_plan(*, bridge: str | None = "172.17.0.1") -> SamPlan:
    return plan(TEMPLATE, store_url="http://host:9", bridge=bridge, port=3000, folder=Path("out"))


def test_the_store_is_given_as_a_value_in_place_of_the_reference() -> None:
    assert make_plan().variables == {
        "Inference": {
            "WARMSTART_STORE_BUCKET": "warmstart-sam-store",
            "WARMSTART_ALIAS_TTL_S": "10",
            "AWS_ENDPOINT_URL": "http://host:9",
        }
    }


def test_a_variable_that_sam_is_to_pass_is_declared_in_the_copy_alone() -> None:
    variables = make_plan().template["Resources"]["Inference"]["Properties"]["Environment"]["Variables"]
    assert variables["AWS_ENDPOINT_URL"] == "http://host:9"
    assert "AWS_ENDPOINT_URL" not in TEMPLATE["Resources"]["Inference"]["Properties"]["Environment"]["Variables"]


def test_a_zipped_layer_is_unpacked_beside_the_template() -> None:
    planned = make_plan()
    assert planned.archives == ("asset.1f.zip",)
    assert planned.template["Resources"]["Layer"]["Metadata"]["aws:asset:path"] == "asset.1f"


def test_paths_of_constructs_that_sam_warns_of_are_left_out() -> None:
    assert make_plan().template["Resources"]["Inference"]["Metadata"] == {"aws:asset:path": "asset.2e"}


def test_the_command_starts_the_api_on_the_copy() -> None:
    assert make_plan().command == (
        *("sam", "local", "start-api", "--template", "out/sam-template.json"),
        *("--env-vars", "out/sam-variables.json", "--port", "3000", "--region", "us-east-1"),
        *("--add-host", "host.docker.internal:172.17.0.1", "--warm-containers", "LAZY"),
    )


def test_containers_in_a_virtual_machine_keep_their_own_name_for_this_one() -> None:
    assert "--add-host" not in make_plan(bridge=None).command


def test_sam_is_told_the_socket_and_nothing_of_the_users_account() -> None:
    environ = {"PATH": "/bin", "AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "mine", "SAM_CLI_TELEMETRY": "1"}
    assert environment_of(environ, "unix:///a.sock") == {
        "PATH": "/bin",
        "SAM_CLI_TELEMETRY": "1",
        "DOCKER_HOST": "unix:///a.sock",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
