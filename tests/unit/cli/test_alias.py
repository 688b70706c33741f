"""`warmstart alias`."""

from __future__ import annotations

import pytest

from model_store import keys
from tests.build.command_line import CommandLine
from tests.build.manifests import manifest, store_alias, store_version


@pytest.fixture
def published(warmstart: CommandLine) -> CommandLine:
    """Three versions of iris, live at 3."""
    for version in (1, 2, 3):
        store_version(warmstart.stage.store, manifest("iris", version))
    store_alias(warmstart.stage.store, "iris", 3)
    return warmstart


def test_an_alias_goes_back(published: CommandLine) -> None:
    assert published("alias", "iris", "live", "1") == (0, "iris@live → version 1 (was 3)\n", "")


def test_an_alias_is_created(published: CommandLine) -> None:
    assert published("alias", "iris", "canary", "2").out == "iris@canary → version 2\n"


def test_an_alias_that_is_there_already_stays(published: CommandLine) -> None:
    published("alias", "iris", "live", "1")
    before = published.stage.store.get(keys.alias("iris", "live"))

    assert published("alias", "iris", "live", "1") == (0, "iris@live is at version 1 already\n", "")
    assert published.stage.store.get(keys.alias("iris", "live")) == before


def test_a_move_says_for_machines_from_where_to_where_and_by_whom(published: CommandLine) -> None:
    document = published("alias", "iris", "live", "1", "--json").document

    assert {key: value for key, value in document.items() if key not in {"id", "changed_at"}} == {
        "model": "iris",
        "changed": True,
        "alias": "live",
        "version": 1,
        "previous_version": 3,
        "changed_by": "ada",
        "reason": "",
    }


def test_staying_is_said_for_machines(published: CommandLine) -> None:
    assert published("alias", "iris", "live", "3", "--json").document["changed"] is False


def test_an_alias_moves_from_where_it_is_expected(published: CommandLine) -> None:
    assert published("alias", "iris", "live", "1", "--expected", "3").code == 0
    assert published("alias", "iris", "new", "1", "--expected", "0").code == 0


def test_an_alias_elsewhere_than_expected_stays(published: CommandLine) -> None:
    ran = published("alias", "iris", "live", "1", "--expected", "2")

    assert (ran.code, ran.err) == (
        1,
        (
            "alias_moved: iris@live: expected version 2, found version 3; nothing was changed\n"
            "→ `warmstart models` says where it is now; move it from there with --expected\n"
        ),
    )
    assert published("alias", "iris", "live", "1", "--expected", "0").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nope", "live", "1"], 1, "model_not_found: model 'nope': nothing of this name has been published"),
        (["iris", "live", "9"], 1, "version_not_found: model 'iris': expected a published version, got 9"),
        (["iris", "LIVE", "1"], 2, "invalid_reference: alias: expected 1 to 63 of a-z, 0-9 and '-'"),
        (["iris", "live", "0"], 2, "wrong_usage: Invalid value for 'VERSION'"),
        (["iris", "live", "x"], 2, "wrong_usage: Invalid value for 'VERSION'"),
    ],
)
def test_what_cannot_be_is_refused(published: CommandLine, arguments: list[str], code: int, message: str) -> None:
    ran = published("alias", *arguments)

    assert ran.code == code
    assert message in ran.err
