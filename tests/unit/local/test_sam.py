"""What `make sam-local` writes and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.sam import find_bridge, find_engine, plan
from warmstart.errors import Unreachable

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Inference": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Environment": {
                    "Variables": {"WARMSTART_STORE_BUCKET": {"Ref": "Store"}, "WARMSTART_ALIAS_TTL_S": "10"}
                }
            },
        },
        "Layer": {"Type": "AWS::Lambda::LayerVersion", "Metadata": {"aws:asset:path": "asset.1f.zip"}},
        "Store": {"Type": "AWS::S3::Bucket", "Properties": {}},
    }
}


def make_plan() -> Any:
    return plan(TEMPLATE, store_url="http://host:9", bridge="172.17.0.1", port=3000, folder=Path("out"))


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


def test_the_command_starts_the_api_on_the_copy() -> None:
    assert make_plan().command == (
        *("sam", "local", "start-api", "--template", "out/sam-template.json"),
        *("--env-vars", "out/sam-variables.json", "--port", "3000", "--region", "us-east-1"),
        *("--add-host", "host.docker.internal:172.17.0.1", "--warm-containers", "LAZY"),
    )


def test_podman_will_do_where_docker_does_not_answer() -> None:
    assert find_engine(lambda command: "ok" if command == ["podman", "info"] else None) == "podman"


def test_without_an_engine_it_says_what_to_run_instead() -> None:
    with pytest.raises(Unreachable, match=r"no container engine answers.*make demo"):
        find_engine(lambda _: None)


def test_a_network_without_a_gateway_is_refused() -> None:
    with pytest.raises(Unreachable, match="expected the gateway's address"):
        find_bridge("docker", lambda _: "\n")
