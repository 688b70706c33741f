"""Exit codes, errors and the choice of a stage."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator

import pytest

from cli.exit_codes import EXIT_CODES, exit_code_of
from cli.main import VERBS
from model_store.memory import MemoryObjects
from tests.build.command_line import CommandLine
from tests.build.manifests import manifest, store_alias, store_version
from warmstart import __version__
from warmstart.errors import (
    AliasMoved,
    InvalidReference,
    InvalidSetting,
    MalformedBody,
    StoreDenied,
    StoreUnavailable,
    Unreachable,
    UnsupportedModel,
    WarmstartError,
)


class FailingObjects(MemoryObjects):
    """A store that lists nothing but an error."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def folders(self, prefix: str) -> Iterator[str]:  # noqa: ARG002
        raise self._error


def test_the_version_is_said(warmstart: CommandLine) -> None:
    assert warmstart("--version") == (0, f"{__version__}\n", "")


def test_without_a_verb_the_help_is_printed(warmstart: CommandLine) -> None:
    ran = warmstart()

    assert ran.code == 2
    assert "Usage: warmstart" in ran.out + ran.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_how_it_is_used(warmstart: CommandLine, verb: str) -> None:
    ran = warmstart(verb, "--help")

    assert ran.code == 0
    assert f"Usage: warmstart {verb}" in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "No such command 'nosuch'."),
        (["show"], "Missing argument 'REF'."),
        (["show", "iris", "--nope"], "No such option: --nope"),
        (["publish", "model.onnx"], "Missing option '--name' / '-n'."),
        (["models", "--local", "--stage", "dev"], "expected either --local or --stage: the twin runs one stage"),
        (["layers", "nope"], "expected inference or control or signing, got 'nope'"),
    ],
)
def test_wrong_usage_says_what_is_wrong(warmstart: CommandLine, arguments: list[str], message: str) -> None:
    ran = warmstart(*arguments)

    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("wrong_usage: ")
    assert message in ran.err


def test_wrong_usage_names_the_verb_whose_help_to_read(warmstart: CommandLine) -> None:
    assert warmstart("show").err.endswith("→ `warmstart show --help` says how\n")
    assert warmstart("nosuch").err.endswith("→ `warmstart --help` says how\n")


def test_for_machines_wrong_usage_is_json_on_standard_output(warmstart: CommandLine) -> None:
    ran = warmstart("show", "--json")

    assert (ran.code, ran.err) == (2, "")
    assert ran.document == {
        "error": {
            "code": "wrong_usage",
            "message": "Missing argument 'REF'.",
            "remedy": "`warmstart show --help` says how",
        }
    }


def test_for_machines_a_refusal_is_json_on_standard_output(warmstart: CommandLine) -> None:
    ran = warmstart("show", "nope", "--json")

    assert (ran.code, ran.err) == (1, "")
    assert ran.document == {
        "error": {
            "code": "model_not_found",
            "message": "model 'nope': nothing of this name has been published",
            "remedy": "`warmstart models` lists models, versions and aliases",
        }
    }


def test_for_people_a_refusal_is_on_standard_error_in_one_line_and_its_remedy_in_another(
    warmstart: CommandLine,
) -> None:
    ran = warmstart("show", "nope")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "model_not_found: model 'nope': nothing of this name has been published\n"
        "→ `warmstart models` lists models, versions and aliases\n"
    )


def test_square_brackets_in_a_message_are_not_taken_for_markup(warmstart: CommandLine) -> None:
    warmstart.stage.store = FailingObjects(Unreachable("pip install 'warmstart[convert]'"))

    assert warmstart("models").err == "unreachable: pip install 'warmstart[convert]'\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnsupportedModel("no"), 1),
        (AliasMoved("no"), 1),
        (StoreDenied("no"), 1),
        (InvalidReference("no"), 2),
        (MalformedBody("no"), 2),
        (InvalidSetting("no", name="x"), 2),
        (StoreUnavailable("no"), 3),
        (Unreachable("no"), 3),
    ],
    ids=lambda value: value.code if isinstance(value, WarmstartError) else "",
)
def test_the_exit_code_says_what_kind_of_error_it_was(warmstart: CommandLine, error: WarmstartError, code: int) -> None:
    warmstart.stage.store = FailingObjects(error)

    assert warmstart("models").code == code


def test_every_error_has_an_exit_code() -> None:
    assert EXIT_CODES[WarmstartError] == 1
    assert exit_code_of(WarmstartError("no")) == 1


def test_what_the_machine_refuses_is_a_refusal_with_the_file(warmstart: CommandLine) -> None:
    warmstart.stage.store = FailingObjects(PermissionError(errno.EACCES, "Permission denied", "model.onnx"))

    assert warmstart("models") == (1, "", "system: model.onnx: Permission denied\n")


def test_a_full_disk_is_a_refusal_with_the_folder_that_may_be_another(warmstart: CommandLine) -> None:
    warmstart.stage.store = FailingObjects(OSError(errno.ENOSPC, "No space left on device"))

    assert warmstart("models").err == (
        "system: No space left on device\n"
        f"→ make room; files that are needed for a while go to {tempfile.gettempdir()}: TMPDIR names another folder\n"
    )


@pytest.mark.parametrize("ref", ["iris", "nope"])
def test_the_stage_is_closed_in_the_end_whatever_came(warmstart: CommandLine, ref: str) -> None:
    store_version(warmstart.stage.store, manifest("iris", 1))

    warmstart("show", ref)

    assert warmstart.stage.is_closed


def test_an_interrupt_ends_it_quietly(warmstart: CommandLine) -> None:
    warmstart.stage.store = FailingObjects(KeyboardInterrupt())

    ran = warmstart("models")

    assert (ran.code, ran.err.strip()) == (130, "")


@pytest.mark.parametrize("name", ["IRIS", "-iris", "a" * 64, "a/b", ""])
@pytest.mark.parametrize("arguments", [("show",), ("predict", "--data=1"), ("alias", "live", "1")], ids=" ".join)
def test_a_malformed_name_is_wrong_usage_before_any_stage_is_asked(
    warmstart: CommandLine, arguments: tuple[str, ...], name: str
) -> None:
    verb, *rest = arguments
    options, more = [a for a in rest if a.startswith("--")], [a for a in rest if not a.startswith("--")]

    ran = warmstart(verb, *options, "--", name, *more)

    assert ran.code == 2
    assert "model name: expected 1 to 63 of a-z, 0-9 and '-'" in ran.err
    assert warmstart.chosen == []


@pytest.mark.parametrize(
    ("arguments", "environ", "chosen"),
    [
        ([], {}, ("prod", False)),
        (["--stage", "dev"], {}, ("dev", False)),
        ([], {"WARMSTART_STAGE": "dev"}, ("dev", False)),
        (["--stage", "prod"], {"WARMSTART_STAGE": "dev"}, ("prod", False)),
        (["--local"], {}, ("prod", True)),
        ([], {"WARMSTART_LOCAL": "1"}, ("prod", True)),
        ([], {"WARMSTART_LOCAL": "no"}, ("prod", False)),
        (["--stage", "dev"], {"WARMSTART_LOCAL": "1"}, ("dev", False)),
        (["--local"], {"WARMSTART_STAGE": "dev"}, ("prod", True)),
    ],
)
def test_options_choose_the_stage_and_the_environment_does_where_they_are_silent(
    warmstart: CommandLine, arguments: list[str], environ: dict[str, str], chosen: tuple[str, bool]
) -> None:
    warmstart("models", *arguments, environ=environ)

    assert warmstart.chosen == [chosen]


def test_a_variable_that_cannot_be_understood_is_refused_by_name(warmstart: CommandLine) -> None:
    ran = warmstart("models", environ={"WARMSTART_LOCAL": "maybe"})

    assert ran.code == 2
    assert ran.err == "invalid_setting: WARMSTART_LOCAL: expected one of 1, true, yes, 0, false, no; got 'maybe'\n"


def test_an_empty_store_says_how_to_publish(warmstart: CommandLine) -> None:
    assert warmstart("models") == (0, "No model has been published: warmstart publish model.onnx --name iris\n", "")
    assert warmstart("models", "--json").document == []


def test_models_are_listed_with_their_versions_and_aliases(warmstart: CommandLine) -> None:
    for version in (1, 2, 3, 5):
        store_version(warmstart.stage.store, manifest("iris", version))
    store_version(warmstart.stage.store, manifest("digits", 1))
    store_alias(warmstart.stage.store, "iris", 5)
    store_alias(warmstart.stage.store, "iris", 3, alias="canary")

    assert warmstart("models").lines == [
        "model   versions  aliases",
        "digits  1",
        "iris    1-3, 5    canary → 3  live → 5",
    ]
    assert warmstart("models", "--json").document == [
        {"name": "digits", "versions": [1], "aliases": {}},
        {"name": "iris", "versions": [1, 2, 3, 5], "aliases": {"canary": 3, "live": 5}},
    ]
