"""The container engine for `sam local`: which one answers, by which socket, and how its containers reach this machine.

SAM's client of Docker reads DOCKER_HOST and no Docker context, and knows nothing of podman: it is told the socket.
A store without a password must be reachable by containers, and by nobody else on the network.
Sources: `docker info`, `docker context inspect`, `podman info`; ip(7), IP_FREEBIND.
"""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from warmstart.errors import Unreachable

DOCKER_HOST: Final = "DOCKER_HOST"
_IP_FREEBIND: Final = 15
"""linux/in.h; Python has no name for it."""
_DOCKER_SOCKET: Final = "unix:///var/run/docker.sock"
"""Where Docker listens unless told otherwise."""
_WITHIN_S: Final = 10.0
_OTHERWISE: Final = "run the stack without any: `make demo`"

Run = Callable[[list[str]], str | None]
"""Run a command; its standard output, or None if it is not there or fails."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that answers."""

    name: str
    host: str | None
    """Its socket, as DOCKER_HOST has it; None for podman where nothing serves that yet."""
    bridge: str | None
    """This machine's address on the network of the containers; None where they reach its 127.0.0.1 by name."""


def find_engine(run: Run, environ: Mapping[str, str], *, system: str) -> Engine:
    """Find Docker or podman; `system` is as in sys.platform. Raises: Unreachable, saying what to do instead."""
    docker = _object(run(["docker", "info", "--format", "{{json .}}"]))
    if docker.get("ServerVersion"):  # its command line prints without a server, too; podman's has no such field
        return _docker(docker, run, system=system)
    at = environ.get(DOCKER_HOST)
    podman = ["podman", "--url", at] if at else ["podman"]
    host = _object(run([*podman, "info", "--format", "json"])).get("host")
    if host:
        return _podman(host, podman, run, at=at, system=system)
    raise Unreachable(
        "no container engine answers: expected Docker or podman (`docker info`, `podman info`); start one, "
        f"or {_OTHERWISE}"
    )


def _docker(info: Mapping[str, Any], run: Run, *, system: str) -> Engine:
    context = run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
    host = (context or "").strip() or _DOCKER_SOCKET
    if system != "linux" or info.get("OperatingSystem") == "Docker Desktop":
        return Engine(name="docker", host=host, bridge=None)
    _refuse_rootless("docker", rootless=any("rootless" in option for option in info.get("SecurityOptions") or ()))
    template = "{{(index .IPAM.Config 0).Gateway}}"
    gateway = run(["docker", "network", "inspect", "bridge", "--format", template])
    return Engine(name="docker", host=host, bridge=_address("docker", gateway))


def _podman(host: Mapping[str, Any], podman: list[str], run: Run, *, at: str | None, system: str) -> Engine:
    if system != "linux":
        if at is None:
            path = "$(podman machine inspect --format '{{.ConnectionInfo.PodmanSocket.Path}}')"
            raise Unreachable(f'podman: SAM must be told its socket: export {DOCKER_HOST}="unix://{path}"')
        return Engine(name="podman", host=at, bridge=None)
    _refuse_rootless("podman", rootless=host["security"]["rootless"])
    served = host["remoteSocket"]
    found = f"unix://{served['path'].removeprefix('unix://')}" if served.get("exists") else None
    gateway = run([*podman, "network", "inspect", "podman", "--format", "{{(index .Subnets 0).Gateway}}"])
    return Engine(name="podman", host=at or found, bridge=_address("podman", gateway))


def _refuse_rootless(name: str, *, rootless: bool) -> None:
    if rootless:
        raise Unreachable(
            f"{name}: expected one that runs as root, got a rootless one: its containers reach this machine at no "
            f"address that the network does not reach, too. Use the system's, or {_OTHERWISE}"
        )


def _address(name: str, gateway: str | None) -> str:
    if not (address := (gateway or "").strip()):
        raise Unreachable(f"{name}: expected the gateway's address of its default network, got none: is it running?")
    return address


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def bind(bridge: str) -> socket.socket:
    """Bind to this machine's address on the engine's network, which comes up with the first container.

    Raises: Unreachable.
    """
    bound = socket.socket()
    try:
        bound.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        bound.bind((bridge, 0))
        bound.listen()
    except OSError as error:
        bound.close()
        raise Unreachable(f"{bridge}: cannot listen where containers reach this machine: {error.strerror}") from error
    return bound


@contextmanager
def serving(engine: Engine) -> Iterator[str]:
    """Yield the engine's socket for DOCKER_HOST; podman is made to serve one for as long. Raises: Unreachable."""
    if engine.host is not None:
        yield engine.host
        return
    with tempfile.TemporaryDirectory(prefix="warmstart-podman-") as folder:
        path = Path(folder, "podman.sock")
        command = ["podman", "system", "service", "--time=0", f"unix://{path}"]
        # In a session of its own: Ctrl-C must not end it before SAM has removed its containers.
        with subprocess.Popen(command, start_new_session=True) as service:
            try:
                _wait(service, path)
                yield f"unix://{path}"
            finally:
                service.terminate()


def _wait(service: subprocess.Popen[bytes], path: Path) -> None:
    until = time.monotonic() + _WITHIN_S
    while not path.exists():
        if service.poll() is not None or time.monotonic() > until:
            raise Unreachable("podman system service: expected its socket, got none; see what it says above")
        time.sleep(0.05)
