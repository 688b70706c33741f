"""`warmstart predict`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build.command_line import CommandLine
from warmstart.client import Answer, RequestRefused
from warmstart.errors import Unreachable

SETOSA = {"label": "setosa", "probabilities": {"versicolor": 0.01842055, "setosa": 0.9815794, "virginica": 1.459e-8}}
VIRGINICA = {"label": "virginica", "probabilities": {"versicolor": 0.25, "setosa": 0.0, "virginica": 0.75}}


def test_records_are_sent_and_the_predictions_are_a_table(warmstart: CommandLine) -> None:
    warmstart.stage.predictor.answer = Answer({"predictions": [SETOSA, VIRGINICA]}, 3, "r-7")

    ran = warmstart("predict", "iris", "--data", '[[5.1, 3.5], {"a": 1}]')

    assert warmstart.stage.predictor.asked == [("iris", [[5.1, 3.5], {"a": 1}])]
    assert ran.lines == [
        "label      probabilities",
        "setosa     setosa 0.981579  versicolor 0.0184206  virginica 1.459e-08",
        "virginica  virginica 0.75  versicolor 0.25  setosa 0",
        "iris:3, request r-7",
    ]


def test_for_machines_the_answer_is_whole(warmstart: CommandLine) -> None:
    body = {"model_name": "iris", "predictions": [SETOSA]}
    warmstart.stage.predictor.answer = Answer(body, 3, "r-7")

    assert warmstart("predict", "iris:3", "-d", "[5.1]", "--json").document == body


def test_of_many_classes_the_best_are_shown(warmstart: CommandLine) -> None:
    scores = {str(digit): 0.5 if digit == 9 else digit / 100 for digit in range(10)}
    warmstart.stage.predictor.answer = Answer({"predictions": [{"scores": scores}]}, 1, "r")

    assert warmstart("predict", "digits", "-d", "1").lines[1] == "9 0.5  8 0.08  7 0.07  6 0.06  … 6 more"


def test_of_a_long_array_the_head_is_shown(warmstart: CommandLine) -> None:
    warmstart.stage.predictor.answer = Answer({"predictions": [{"y": [0.5] * 1000}]}, 1, "r")

    assert warmstart("predict", "m", "-d", "1").lines[1] == f"[{', '.join(['0.5'] * 8)}, … 992 more]"


def test_every_kind_of_value_has_a_form(warmstart: CommandLine) -> None:
    row = {"i": 3, "b": True, "s": "[red]text[/red]", "n": None, "m": [[1.0, 2.0], [3.0, 4.5]]}
    warmstart.stage.predictor.answer = Answer({"predictions": [row]}, 1, "r")

    assert warmstart("predict", "m", "-d", "1").lines[:2] == [
        "i  b     s                n     m",
        "3  true  [red]text[/red]  null  [[1, 2], [3, 4.5]]",
    ]


def test_records_come_from_a_file(warmstart: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "records.json").write_text('{"größe": 1}', encoding="utf-8")

    warmstart("predict", "iris@canary", "--file", str(tmp_path / "records.json"))

    assert warmstart.stage.predictor.asked == [("iris@canary", {"größe": 1})]


@pytest.mark.parametrize("text", ["", "{bad", "[NaN]", "[Infinity]", "[" * 100_000])
def test_what_is_no_json_is_wrong_usage_and_is_not_sent(warmstart: CommandLine, text: str) -> None:
    ran = warmstart("predict", "iris", "--data", text)

    assert ran.code == 2
    assert "Invalid value for --data: expected JSON, such as '{\"age\": 3}'; got" in ran.err
    assert warmstart.stage.predictor.asked == []


def test_a_file_that_is_not_there_is_wrong_usage(warmstart: CommandLine, tmp_path: Path) -> None:
    ran = warmstart("predict", "iris", "-f", str(tmp_path / "none.json"))

    assert ran.code == 2
    assert f"Invalid value for --file: {tmp_path / 'none.json'}: No such file or directory" in ran.err


def test_a_file_that_is_no_text_is_wrong_usage(warmstart: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\xff\xfe\x00")

    ran = warmstart("predict", "iris", "-f", str(tmp_path / "image"))

    assert ran.code == 2
    assert "expected UTF-8" in ran.err


@pytest.mark.parametrize("options", [[], ["-d", "1", "-f", "records.json"]])
def test_records_come_from_one_place(warmstart: CommandLine, options: list[str]) -> None:
    ran = warmstart("predict", "iris", *options)

    assert ran.code == 2
    assert "expected either --data or --file" in ran.err


def test_a_refusal_of_the_endpoint_is_a_refusal(warmstart: CommandLine) -> None:
    warmstart.stage.predictor.answer = RequestRefused("HTTP 404: no such model", status=404, request_id="r")

    assert warmstart("predict", "iris", "-d", "1") == (1, "", "request_refused: HTTP 404: no such model\n")


def test_an_endpoint_that_does_not_answer_is_not_reachable(warmstart: CommandLine) -> None:
    warmstart.stage.predictor.answer = Unreachable("http://127.0.0.1:1/prod: no answer")

    assert warmstart("predict", "iris", "-d", "1").code == 3
