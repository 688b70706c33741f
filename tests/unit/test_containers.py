"""The Dockerfile and the manifests of examples/kubernetes: valid, and of one mind with the server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from handlers.inference.routes.table import Routes
from handlers.server.settings import DEFAULT_DRAIN_S, DEFAULT_PORT, ServerSettings
from warmstart import environment

ROOT: Final = Path(__file__).resolve().parents[2]
KUBERNETES: Final = ROOT / "examples" / "kubernetes"
MANIFESTS: Final = tuple(sorted(KUBERNETES.rglob("*.yaml")))
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text(encoding="utf-8")
VARIABLES: Final = frozenset(value for value in vars(environment).values() if isinstance(value, str))
OF_OTHERS: Final = frozenset({"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"})
"""Python's own, in the image."""


def documents() -> Iterator[Mapping[str, Any]]:
    """Walk all manifests."""
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def of_kind(kind: str) -> Mapping[str, Any]:
    """Return the one manifest of a kind."""
    (found,) = (document for document in documents() if document["kind"] == kind)
    return found


POD: Final = of_kind("Deployment")["spec"]["template"]["spec"]
RUNTIME: Final = of_kind("ServingRuntime")["spec"]
PODS: Final = pytest.mark.parametrize("pod", [POD, RUNTIME], ids=["Deployment", "ServingRuntime"])


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.relative_to(KUBERNETES).as_posix())
def test_every_manifest_of_kubernetes_own_kinds_is_valid(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        if not document["apiVersion"].startswith(("kustomize.", "serving.kserve.io/")):
            kubernetes_validate.validate(document, "1.32", strict=True)


def test_the_runtimes_containers_are_those_of_a_valid_pod() -> None:
    spec = {"containers": RUNTIME["containers"], "volumes": RUNTIME["volumes"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "runtime"}, "spec": spec}

    kubernetes_validate.validate(pod, "1.32", strict=True)


def test_the_base_is_all_of_its_files() -> None:
    listed = of_kind("Kustomization")["resources"]

    assert set(listed) == {path.name for path in MANIFESTS if path.parent.name == "base"} - {"kustomization.yaml"}


@PODS
def test_the_port_is_the_servers(pod: Mapping[str, Any]) -> None:
    (container,) = pod["containers"]

    assert [port["containerPort"] for port in container["ports"]] == [DEFAULT_PORT]
    assert {probe["httpGet"]["port"] for probe in probes(container)} <= {DEFAULT_PORT, container["ports"][0]["name"]}
    assert f"EXPOSE {DEFAULT_PORT}\n" in DOCKERFILE


def probes(container: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List a container's probes."""
    return [value for name, value in container.items() if name.endswith("Probe")]


@PODS
def test_the_probes_ask_what_the_server_answers(pod: Mapping[str, Any]) -> None:
    (container,) = pod["containers"]
    paths = {name: probe["httpGet"]["path"] for name, probe in container.items() if name.endswith("Probe")}

    assert paths["readinessProbe"] == "/v2/health/ready"
    assert paths["livenessProbe"] == "/v2/health/live"
    assert [Routes().find("GET", path).protocol for path in paths.values()] == ["oip"] * len(paths)


@PODS
def test_every_variable_is_one_that_is_read_and_its_value_is_taken(pod: Mapping[str, Any]) -> None:
    (container,) = pod["containers"]
    env = {each["name"]: each["value"].replace("{{.Name}}", "iris") for each in container["env"]}

    assert set(env) - VARIABLES == set()
    assert ServerSettings.from_env(env).preload == ("iris",)


@PODS
def test_nothing_is_written_but_where_models_are_kept(pod: Mapping[str, Any]) -> None:
    (container,) = pod["containers"]
    security = container["securityContext"]

    assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]
    assert "emptyDir" in pod["volumes"][0]


@PODS
def test_nobody_in_particular_runs_it(pod: Mapping[str, Any]) -> None:
    security = {**pod.get("securityContext", {}), **pod["containers"][0]["securityContext"]}

    assert (security["runAsNonRoot"], security["runAsUser"], security["runAsGroup"]) == (True, 65532, 65532)
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}


def test_the_autoscaler_alone_says_how_many_pods_there_are() -> None:
    assert "replicas" not in of_kind("Deployment")["spec"]
    assert of_kind("HorizontalPodAutoscaler")["spec"]["minReplicas"] == 2


def test_the_pod_has_time_to_finish_what_is_in_flight() -> None:
    before_s = POD["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert before_s + DEFAULT_DRAIN_S < POD["terminationGracePeriodSeconds"]


def test_what_selects_pods_selects_the_servers() -> None:
    label = of_kind("Deployment")["spec"]["template"]["metadata"]["labels"]

    assert of_kind("Service")["spec"]["selector"] == label
    assert of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == label
    assert of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == label
    assert (
        of_kind("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"]
        == of_kind("Deployment")["metadata"]["name"]
    )


def test_an_inference_service_names_a_format_of_the_runtime() -> None:
    wanted = of_kind("InferenceService")["spec"]["predictor"]["model"]

    assert wanted["modelFormat"]["name"] in {each["name"] for each in RUNTIME["supportedModelFormats"]}
    assert wanted["protocolVersion"] in RUNTIME["protocolVersions"]


def test_the_image_sets_variables_that_are_read_and_writes_below_tmp_alone() -> None:
    lines = re.findall(r"^(?:ENV|   ) ([A-Z]+[A-Z_]*)=(\S+)", DOCKERFILE, re.MULTILINE)
    env = dict(lines)

    assert set(env) - VARIABLES == OF_OTHERS
    assert (env["HOME"], env["TMPDIR"], env["WARMSTART_HOST"]) == ("/tmp", "/tmp", "0.0.0.0")
    assert ServerSettings.from_env(env).store_url == "file:///models"


def test_the_image_runs_the_servers_module_as_nobody_in_particular() -> None:
    assert 'ENTRYPOINT ["/usr/bin/python3", "-P", "-m", "handlers.server"]' in DOCKERFILE
    assert (ROOT / "handlers" / "server" / "__main__.py").is_file()
    assert "\nUSER 65532:65532\n" in DOCKERFILE
    assert POD["securityContext"]["runAsUser"] == 65532


def test_the_image_holds_the_packages_that_the_server_imports() -> None:
    copied = set(re.findall(r"^COPY (\w+) /packages", DOCKERFILE, re.MULTILINE))
    kept = set((ROOT / ".dockerignore").read_text(encoding="utf-8").split())
    locked = re.findall(
        r"^([a-z0-9-]+)==", (ROOT / "requirements" / "serve.txt").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert copied == {"warmstart", "model_store", "handlers"}
    assert {f"!{name}" for name in copied} <= kept
    assert {"boto3", "httptools", "numpy", "onnxruntime", "orjson", "pillow", "tokenizers", "uvloop"} <= set(locked)
