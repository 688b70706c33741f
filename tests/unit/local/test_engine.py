"""Which container engine `sam local` gets, by which socket, and where its containers reach this machine."""

from __future__ import annotations

import json
import socket
import sys
from typing import Any

import pytest

from local.engine import Engine, Run, bind, find_engine, serving
from warmstart.errors import Unreachable

GATEWAY = "172.17.0.1\n"


def docker(*, context: str = "unix:///var/run/docker.sock", **info: Any) -> Run:
    answers = {
        "info": json.dumps({"ServerVersion": "29.1.0", "OperatingSystem": "Debian GNU/Linux 12"} | info),
        "context": f"{context}\n",
        "network": GATEWAY,
    }
    return lambda command: answers[command[1]] if command[0] == "docker" else None


def podman(*, exists: bool = True, rootless: bool = False) -> Run:
    host = {
        "remoteSocket": {"path": "/run/podman/podman.sock"} | ({"exists": True} if exists else {}),
        "security": {"rootless": rootless},
    }

    def run(command: list[str]) -> str | None:
        if command[0] != "podman":
            return None
        return json.dumps({"host": host}) if "info" in command else "10.88.0.1\n"

    return run


def test_docker_is_taken_with_the_socket_of_its_context() -> None:
    found = find_engine(docker(context="unix:///run/user/7/docker.sock"), {}, system="linux")
    assert found == Engine(name="docker", host="unix:///run/user/7/docker.sock", bridge="172.17.0.1")


@pytest.mark.parametrize(("system", "os"), [("linux", "Docker Desktop"), ("darwin", "Ubuntu 24.04")])
def test_containers_in_a_virtual_machine_reach_this_one_by_name(system: str, os: str) -> None:
    assert find_engine(docker(OperatingSystem=os), {}, system=system).bridge is None


def test_a_docker_command_without_a_server_is_no_engine() -> None:
    printed = json.dumps({"ServerVersion": "", "ClientInfo": {}})
    with pytest.raises(Unreachable, match=r"no container engine answers.*make demo"):
        find_engine(lambda command: printed if command[0] == "docker" else None, {}, system="linux")


def test_without_an_engine_it_says_what_to_run_instead() -> None:
    with pytest.raises(Unreachable, match=r"no container engine answers.*make demo"):
        find_engine(lambda _: None, {}, system="linux")


def test_podman_is_taken_with_the_socket_that_it_serves() -> None:
    found = find_engine(podman(), {}, system="linux")
    assert found == Engine(name="podman", host="unix:///run/podman/podman.sock", bridge="10.88.0.1")


def test_podman_that_serves_no_socket_is_left_without_one() -> None:
    assert find_engine(podman(exists=False), {}, system="linux").host is None


def test_podman_named_docker_is_podman() -> None:
    run = podman()
    found = find_engine(lambda command: run(["podman", *command[1:]]), {}, system="linux")
    assert found.name == "podman"


def test_podman_is_asked_at_the_socket_that_the_user_names() -> None:
    asked: list[list[str]] = []

    def run(command: list[str]) -> str | None:
        asked.append(command)
        return podman()(command)

    found = find_engine(run, {"DOCKER_HOST": "unix:///else.sock"}, system="linux")
    assert found.host == "unix:///else.sock"
    assert asked[1] == ["podman", "--url", "unix:///else.sock", "info", "--format", "json"]


def test_podman_in_a_virtual_machine_needs_its_socket_named() -> None:
    with pytest.raises(Unreachable, match=r"export DOCKER_HOST=.*podman machine inspect"):
        find_engine(podman(), {}, system="darwin")


@pytest.mark.parametrize("run", [docker(SecurityOptions=["name=seccomp", "name=rootless"]), podman(rootless=True)])
def test_a_rootless_engine_is_refused_with_the_reason(run: Run) -> None:
    with pytest.raises(Unreachable, match="expected one that runs as root, got a rootless one"):
        find_engine(run, {}, system="linux")


def test_a_network_without_a_gateway_is_refused() -> None:
    run = docker()
    with pytest.raises(Unreachable, match="expected the gateway's address"):
        find_engine(lambda command: "\n" if command[1] == "network" else run(command), {}, system="linux")


def test_a_socket_that_is_served_already_is_used() -> None:
    with serving(Engine(name="docker", host="unix:///a.sock", bridge=None)) as host:
        assert host == "unix:///a.sock"


@pytest.mark.skipif(sys.platform != "linux", reason="the engine's network is this machine's own on Linux alone")
def test_the_store_may_listen_before_the_network_of_the_containers_is_up() -> None:
    with bind("192.0.2.7") as bound:  # TEST-NET-1, RFC 5737: no interface has it
        assert bound.family is socket.AF_INET
        assert bound.getsockname()[0] == "192.0.2.7"
