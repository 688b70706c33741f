"""Rules over both templates whole: cdk-nag, cfn-lint, secrets, wildcards, custom resources, outputs."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations

from tests.build.assets import stand_in_assets
from tests.build.templates import Template, stacks, synthesize, text
from warmstart import stacks as names

pytestmark = pytest.mark.xdist_group("template")

EXPLAINED = {
    # X-Ray's write actions know no resources.
    ("xray:PutTelemetryRecords", "*"),
    ("xray:PutTraceSegments", "*"),
    # Models have names; aliases and history are below them.
    ("s3:GetObject", "models/*"),
    ("s3:PutObject", "models/*/aliases/*"),
    ("s3:PutObject", "models/*/history/*"),
}
"""Every wildcard that an Allow may have, and no other."""


def check_with_nag(app: App) -> None:
    from cdk_nag import AwsSolutionsChecks

    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def both() -> tuple[Template, Template]:
    return stacks().store, stacks().serving


def values(node: Any, key: str) -> Iterator[Any]:
    """Every value under a key, at any depth."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from values(item, key)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    "over",
    [
        {},
        {"alarm_email": "ops@example.org", "quota_per_day": 100, "python": "3.12"},
        {"payload_locations": "s3://bodies/in/,s3://bodies/out/"},
    ],
)
def test_cdk_nag_finds_nothing_that_is_not_explained(over: dict[str, Any], tmp_path: Path) -> None:
    synthesize(tmp_path / "cdk.out", stand_in_assets(tmp_path / "assets"), check_with_nag, **over)


def test_cdk_nag_would_have_found_it(tmp_path: Path) -> None:
    def add_a_careless_bucket(app: App) -> None:
        from aws_cdk import Stack, aws_s3

        check_with_nag(app)
        aws_s3.Bucket(Stack(app, "careless"), "Bucket")

    with pytest.raises(RuntimeError, match="AwsSolutions-S10"):
        synthesize(tmp_path / "cdk.out", stand_in_assets(tmp_path / "assets"), add_a_careless_bucket)


def test_cfn_lint_finds_nothing() -> None:
    # W3005: the CDK repeats a dependency on the role that the function's own reference already is.
    everything = stacks(alarm_email="ops@example.org", quota_per_day=9, concurrency=5).serving
    paths = [str(template.path) for template in (*both(), everything)]
    cfn_lint = str(Path(sys.prefix) / "bin" / "cfn-lint")
    command = [cfn_lint, "--ignore-checks", "W3005", "--regions", "us-east-1", "--template", *paths]

    found = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_no_right_is_wider_than_explained() -> None:
    seen = set()
    for template in both():
        for role in template.of("IAM::Role"):
            for policy in role.get("Policies", ()):
                for statement in policy["PolicyDocument"]["Statement"]:
                    if statement["Effect"] == "Allow":
                        for action in as_list(statement["Action"]):
                            assert "*" not in action
                            seen |= {
                                (action, text(resource).partition("bucket>/")[2] or text(resource))
                                for resource in as_list(statement["Resource"])
                                if "*" in text(resource)
                            }
        assert not template.of("IAM::Policy")

    assert seen == EXPLAINED


def test_no_one_is_allowed_in_by_name_but_services() -> None:
    principals = {
        json.dumps(statement["Principal"], sort_keys=True)
        for template in both()
        for statements in values(dict(template.document), "Statement")
        for statement in statements
        if statement["Effect"] == "Allow" and "Principal" in statement
    }

    assert principals == {
        '{"Service": "apigateway.amazonaws.com"}',
        '{"Service": "lambda.amazonaws.com"}',
        '{"Service": "logging.s3.amazonaws.com"}',
    }


def test_no_secret_is_in_a_template() -> None:
    assert "Value" not in stacks().serving.one("ApiGateway::ApiKey")
    for template in both():
        document = template.path.read_text()
        assert not re.search(r"AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|-----BEGIN|[Pp]assword|SecretString", document)
    for function in stacks().serving.of("Lambda::Function"):
        assert not [name for name in function["Environment"]["Variables"] if re.search("KEY|TOKEN|SECRET", name)]


def test_nothing_runs_at_deployment_but_cloudformation() -> None:
    for template in both():
        kinds = {found["Type"] for found in template.resources.values()}
        assert not {kind for kind in kinds if kind.startswith("Custom::") or "CustomResource" in kind}


def test_no_use_is_reported_to_anyone() -> None:
    cdk_json = json.loads((Path(__file__).resolve().parents[2] / "cdk.json").read_text())

    assert cdk_json["versionReporting"] is False  # in the template
    assert cdk_json["context"]["cli-telemetry"] is False  # by the `cdk` command itself
    assert not stacks().serving.of("CDK::Metadata")


def test_the_outputs_are_those_that_the_command_line_reads() -> None:
    store, serving = both()

    assert set(store.document["Outputs"]) == {names.STORE_BUCKET}
    assert set(serving.document["Outputs"]) == {
        *(names.ENDPOINT, names.ADMIN_ENDPOINT, names.API_KEY_ID, names.INFERENCE_FUNCTION, names.CONTROL_FUNCTION),
        names.INFERENCE_TARGET,
    }
    endpoint = text(serving.document["Outputs"][names.ENDPOINT]["Value"])
    assert re.fullmatch(r"https://<\w+>\.execute-api\.<AWS::Region>\.<AWS::URLSuffix>/prod", endpoint)
    assert text(serving.document["Outputs"][names.ADMIN_ENDPOINT]["Value"]) == f"{endpoint}/admin"


def test_the_stacks_have_the_names_that_the_command_line_looks_for() -> None:
    assert stacks().store.path.name == f"{names.store_stack('prod')}.template.json"
    assert stacks().serving.path.name == f"{names.serving_stack('prod')}.template.json"


def test_the_document_on_security_names_tests_that_exist() -> None:
    folder = Path(__file__).parent
    written = "".join(path.read_text() for path in folder.parent.rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", (folder.parents[1] / "docs" / "security.md").read_text())

    assert len(named) > 30
    assert [name for name in named if f"def {name}(" not in written] == []
