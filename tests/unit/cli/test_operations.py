"""What is done with published versions, on the command line: the verbs that look, move, copy, verify and remove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_store import keys
from model_store.file import FileObjects
from model_store.manifest import render_manifest
from model_store.operations.tags import read_tags
from tests.build.command_line import CommandLine
from tests.build.manifests import manifest, store_alias, store_version
from tests.build.signing import ed25519, signer, store_signature


@pytest.fixture
def published(warmstart: CommandLine) -> CommandLine:
    """Three versions of iris, live moved over all of them."""
    for version in (1, 2, 3):
        store_version(warmstart.stage.store, manifest("iris", version, labels=("a", f"b{version}")))
        warmstart("alias", "iris", "live", str(version))
    return warmstart


@pytest.fixture
def folder(published: CommandLine, tmp_path: Path) -> str:
    """The same store as a folder's URL."""
    objects = FileObjects(tmp_path / "store")
    for key in published.stage.store.keys(""):
        objects.put(key, published.stage.store.get(key).body)
    return (tmp_path / "store").as_uri()


def test_a_rollback_goes_back_and_once_more_goes_further(published: CommandLine) -> None:
    assert published("rollback", "iris") == (0, "iris@live → version 2 (was 3)\n", "")
    document = published("rollback", "iris", "--reason", "wrong", "--json").document
    assert {key: value for key, value in document.items() if key not in {"id", "changed_at"}} == {
        "model": "iris",
        "alias": "live",
        "version": 1,
        "previous_version": 2,
        "changed_by": "ada",
        "reason": "rollback: wrong",
    }
    refused = published("rollback", "iris")
    assert refused.code == 1
    assert refused.err.splitlines()[0] == (
        "version_not_found: iris@live: expected an earlier version to go back to, got none since it came to 1: "
        "name one: `warmstart alias iris live VERSION`"
    )


def test_another_alias_is_rolled_back_by_name(published: CommandLine) -> None:
    published("alias", "iris", "canary", "2")
    published("alias", "iris", "canary", "3")

    assert published("rollback", "iris", "--alias", "canary").out == "iris@canary → version 2 (was 3)\n"


def test_the_history_says_who_when_from_to_and_why(published: CommandLine) -> None:
    published("rollback", "iris", "--reason", "wrong labels")

    lines = published("history", "iris").lines
    assert lines[0].split() == ["when", "alias", "from", "to", "who", "why"]
    assert len(lines) == 5
    assert lines[-1].endswith("live   3     2   ada  rollback: wrong labels")


def test_the_history_ends_with_the_latest(published: CommandLine) -> None:
    document = published("history", "iris", "--limit", "2", "--json").document

    assert [(change["previous_version"], change["version"]) for change in document] == [(1, 2), (2, 3)]


def test_a_diff_shows_what_differs_alone(published: CommandLine) -> None:
    assert published("diff", "iris:1", "iris").lines == [
        "                iris:1  iris:3",
        "labels  labels  a, b1   a, b3",
    ]
    assert published("diff", "iris:1", "iris:2", "--json").document == {
        "before": "iris:1",
        "after": "iris:2",
        "differences": [{"section": "labels", "field": "labels", "before": "a, b1", "after": "a, b2"}],
    }
    assert published("diff", "iris:3", "iris").out == "iris:3 and iris:3 are the same\n"


def test_tags_are_set_shown_and_removed(published: CommandLine) -> None:
    assert published("tags", "iris").out == "iris:3 has no tags\n"
    published("tags", "iris", "--set", "owner=ann", "--set", "note=a=b")
    assert published("tags", "iris:3", "--json").document == {
        "name": "iris",
        "version": 3,
        "tags": {"note": "a=b", "owner": "ann"},
    }
    assert "tag owner  ann" in published("show", "iris").lines
    assert published("show", "iris", "--json").document["tags"] == {"note": "a=b", "owner": "ann"}
    assert published("tags", "iris", "--remove", "note").lines == ["tag    value", "owner  ann"]
    assert read_tags(published.stage.store, "iris", 2).values == {}


@pytest.mark.parametrize("text", ["owner", "=ann"])
def test_a_tag_that_is_none_is_wrong_usage(published: CommandLine, text: str) -> None:
    ran = published("tags", "iris", "--set", text)

    assert (ran.code, "expected KEY=VALUE, each key once" in ran.err) == (2, True)


def test_everything_verifies(published: CommandLine) -> None:
    assert published("verify", "--all").lines == [f"ok  iris:{n}  1 file, 0.0 kB" for n in (1, 2, 3)]
    assert published("verify", "iris:2").lines == ["ok  iris:2  1 file, 0.0 kB"]
    assert published("verify", "iris@live").lines == ["ok  iris:3  1 file, 0.0 kB"]
    assert len(published("verify", "iris").lines) == 3


def test_what_does_not_verify_is_refused_and_named(published: CommandLine) -> None:
    published.stage.store.put(keys.artifact("iris", 2, "model.onnx"), b"grapf")

    ran = published("verify", "iris")
    assert (ran.code, ran.lines[1]) == (1, "no  iris:2")
    assert ran.lines[2].startswith("      model.onnx: expected sha256 ")

    ran = published("verify", "--all", "--json")
    assert (ran.code, [len(each["problems"]) for each in ran.document]) == (1, [0, 1, 0])


def test_signatures_are_verified_with_a_key(published: CommandLine, tmp_path: Path) -> None:
    store_signature(published.stage.store, manifest("iris", 1, labels=("a", "b1")))
    (tmp_path / "key.pub").write_text(signer().public_key.text)

    good = published("verify", "iris:1", "--public-key", str(tmp_path / "key.pub"))
    other = published("verify", "iris:1", "--public-key", signer(ed25519(2)).public_key.text)
    unsigned = published("verify", "iris:2", "--public-key", str(tmp_path / "key.pub"))

    assert good.out == f"ok  iris:1  1 file, 0.0 kB, signed by {signer().public_key.key_id[:16]}…\n"
    assert (other.code, unsigned.code) == (1, 1)
    assert "signature: expected one by key" in other.out
    assert "got none" in unsigned.out


@pytest.mark.parametrize("arguments", [[], ["iris", "--all"]])
def test_verify_wants_one_thing(published: CommandLine, arguments: list[str]) -> None:
    ran = published("verify", *arguments)

    assert (ran.code, "expected either REF or --all" in ran.err) == (2, True)


def test_a_version_is_copied_and_pointed_at(published: CommandLine, tmp_path: Path) -> None:
    url = (tmp_path / "other").as_uri()

    ran = published("copy", "iris", "--to", url, "--alias", "live")

    assert ran.lines == [f"iris:3 copied, 0.0 kB: {url}", "iris@live → version 3 there"]
    other = FileObjects(tmp_path / "other")
    assert other.get(keys.manifest("iris", 3)).body == render_manifest(manifest("iris", 3, labels=("a", "b3")))
    assert published("copy", "iris:3", "--to", url).out == f"iris:3 was there already, and is the same: {url}\n"
    assert published("copy", "iris:3", "--to", url, "--json").document == {
        "name": "iris",
        "version": 3,
        "to": url,
        "was_there": True,
        "alias": None,
    }
    assert "iris   3         live → 3" in published("models", "--store", url).lines


def test_a_copy_over_another_version_is_refused_with_the_way_out(published: CommandLine, tmp_path: Path) -> None:
    store_version(FileObjects(tmp_path), manifest("iris", 3, body=b"other"), body=b"other")

    ran = published("copy", "iris:3", "--to", tmp_path.as_uri())

    assert ran.code == 1
    assert ran.err.startswith("version_claimed: iris:3: the number is published there with another manifest; a copy")


def test_a_copy_to_a_stage_asks_for_that_stage(published: CommandLine) -> None:
    assert published("copy", "iris", "--to-stage", "prod", "--stage", "test").out == (
        "iris:3 was there already, and is the same: stage prod\n"
    )
    assert published.chosen[-2:] == [("test", False), ("prod", False)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected either --to or --to-stage"),
        (["--to", "file:///x", "--to-stage", "prod"], "expected either --to or --to-stage"),
        (["--to-stage", "prod", "--to-profile", "p"], "expected --to-profile with --to alone"),
        (["--to", "gs://bucket"], "expected s3://bucket, s3://bucket/prefix or file:///path"),
        (["--to", "file:///x", "--alias", "LIVE"], "alias: expected 1 to 63"),
    ],
)
def test_a_copy_to_nowhere_is_wrong_usage(published: CommandLine, arguments: list[str], message: str) -> None:
    ran = published("copy", "iris", *arguments)

    assert (ran.code, message in ran.err) == (2, True)


@pytest.fixture
def old(warmstart: CommandLine) -> CommandLine:
    """Four versions of iris, published and moved to in January: live at 4, canary at 2."""
    for version in (1, 2, 3, 4):
        store_version(warmstart.stage.store, manifest("iris", version))
    store_alias(warmstart.stage.store, "iris", 4)
    store_alias(warmstart.stage.store, "iris", 2, alias="canary")
    return warmstart


def test_pruning_shows_its_plan_and_waits_for_yes(old: CommandLine) -> None:
    expected = [
        "        what",
        "remove  iris:1  0.0 kB",
        "keep    iris:2  canary points at it",
        "0.0 kB to remove",
    ]
    assert old("prune", "iris", "--keep", "2").lines == [*expected, "nothing was removed: --yes removes it"]
    assert old("prune", "--keep", "2", "--json").document["applied"] is False
    assert "1-4" in old("models").out

    assert old("prune", "iris", "--keep", "2", "--yes").lines == expected
    assert "2-4" in old("models").out
    assert old("prune", "--keep", "2", "--yes").lines[0:1] == ["      what"]


def test_a_prune_says_for_machines_what_it_did(old: CommandLine) -> None:
    document: dict[str, Any] = old("prune", "--keep", "1", "--yes", "--json").document

    assert document == {
        "keep": 1,
        "size_bytes": 10,
        "versions": [{"name": "iris", "version": n, "size_bytes": 5} for n in (1, 3)],
        "kept": [{"name": "iris", "version": 2, "reason": "canary points at it"}],
        "unfinished": [],
        "uploads": [],
        "applied": True,
        "left": [],
    }


def test_nothing_to_prune_is_said(old: CommandLine) -> None:
    assert old("prune", "--keep", "9").out == "Nothing is older than the newest 9 of each model.\n"


def test_a_store_is_named_by_its_url(published: CommandLine, folder: str) -> None:
    published.chosen.clear()

    assert published("alias", "iris", "canary", "1", "--store", folder).code == 0
    assert "iris   1-3       canary → 1  live → 3" in published("models", "--store", folder).lines
    assert published("rollback", "iris", "--store", folder).out == "iris@live → version 2 (was 3)\n"
    assert published("show", "iris", "--store", folder).lines[0].startswith("iris:2")
    assert published("verify", "--all", "--store", folder).code == 0
    assert published("alias", "iris", "live", "3").out == "iris@live is at version 3 already\n"
    assert published.chosen == [("prod", False)]


@pytest.mark.parametrize("other", [["--stage", "test"], ["--local"]])
def test_a_store_and_a_stage_are_one_too_many(published: CommandLine, folder: str, other: list[str]) -> None:
    ran = published("models", "--store", folder, *other)

    assert (ran.code, "expected one of --store, --stage and --local" in ran.err) == (2, True)
