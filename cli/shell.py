"""What a verb gets from whoever runs the command: environment variables, stages, the clock and ids."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple

import typer

from cli.stage import REGION_VARIABLE, Choose, Stage, StoreStage, choose
from warmstart import stacks
from warmstart.errors import InvalidSetting

if TYPE_CHECKING:
    from model_store.objects import ObjectStore
    from model_store.registry import Registry

STAGE: Final = "WARMSTART_STAGE"
LOCAL: Final = "WARMSTART_LOCAL"

_SAYS: Final[Mapping[str, bool]] = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class Shell(NamedTuple):
    """The surroundings of one command; what the command opened is closed with `closing`."""

    environ: Mapping[str, str]
    closing: ExitStack
    choose: Choose = choose
    clock: Callable[[], float] = time.time
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex[:8]

    @property
    def caller(self) -> str:
        """Who asks, for the history: the account's user name on this machine."""
        return self.environ.get("USER") or self.environ.get("LOGNAME") or "unknown"

    def stage(self, name: str | None, *, local: bool, store: str | None = None) -> Stage:
        """Return the stage that the options name, else the one that the environment does.

        `store` is the URL of a store without a stage. Raises: Unreachable; InvalidSetting for a URL, or for a variable,
        that cannot be understood.
        """
        if store is not None:
            if local or name is not None:
                raise typer.BadParameter("expected one of --store, --stage and --local: each names a store")
            stage: Stage = StoreStage(store, region=self.environ.get(REGION_VARIABLE) or None)
            self.closing.callback(stage.close)
            return stage
        if local and name is not None:
            raise typer.BadParameter("expected either --local or --stage: the twin runs one stage")
        on_twin = name is None and (local or self._local())
        wanted = stacks.DEFAULT_STAGE if on_twin else self.stage_name(name)
        stage = self.choose(wanted, local=on_twin, environ=self.environ)
        self.closing.callback(stage.close)
        return stage

    def stage_name(self, name: str | None) -> str:
        """Return the name given, else the environment's, else `prod`."""
        return name or self.environ.get(STAGE) or stacks.DEFAULT_STAGE

    def registry(self, stage: Stage) -> Registry:
        """Return the registry on a stage's store."""
        return self.registry_over(stage.objects())

    def registry_over(self, objects: ObjectStore) -> Registry:
        """Return the registry on a store's objects."""
        from model_store.registry import Registry

        return Registry(objects, clock=self.clock, new_id=self.new_id)

    def _local(self) -> bool:
        text = self.environ.get(LOCAL, "")
        if text and text.lower() not in _SAYS:
            raise InvalidSetting(f"{LOCAL}: expected one of {', '.join(_SAYS)}; got {text!r}", name=LOCAL)
        return bool(text) and _SAYS[text.lower()]


def shell(context: typer.Context) -> Shell:
    """Return the shell that `cli.main.run` gave to the verbs."""
    given = context.obj
    assert isinstance(given, Shell)  # noqa: S101 - typer carries it as Any
    return given
