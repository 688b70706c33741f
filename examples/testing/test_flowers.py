"""Two kinds of test for the same model."""

from __future__ import annotations

from pathlib import Path

from examples.testing.flowers import LABELS, measures, save, train
from local.inprocess import InProcess
from local.process import TwinProcess
from model_store.gate import publish_file
from model_store.s3 import S3Objects
from warmstart import Client

VIRGINICA = 149


def test_the_function_answers_as_scikit_learn_does(inprocess: InProcess, tmp_path: Path) -> None:
    """In this process: the code, the model, the store."""
    publish_file(save(tmp_path), "flowers", inprocess.objects, labels=LABELS)
    rows = measures()[::30]
    answer = inprocess.predict("flowers", rows.tolist())
    assert answer.status == 200
    expected = [LABELS[number] for number in train().predict(rows)]
    assert [row["label"] for row in answer.json()["predictions"]] == expected


def test_a_flower_with_a_measure_missing_is_refused(inprocess: InProcess, tmp_path: Path) -> None:
    """In this process: a client's mistake is a client's error."""
    publish_file(save(tmp_path), "flowers", inprocess.objects, labels=LABELS)
    answer = inprocess.predict("flowers", [[5.1, 3.5, 1.4]])
    assert answer.status == 400


def test_the_whole_stack_serves_it(twin: TwinProcess, tmp_path: Path) -> None:
    """On the twin: the template, the gateway, the environments."""
    s3 = twin.session.client("s3", endpoint_url=twin.address.aws_endpoint_url)
    publish_file(save(tmp_path), "flowers", S3Objects(twin.address.store, s3), labels=LABELS)
    with Client(twin.address.endpoint, api_key=twin.address.api_key) as client:
        answer = client.predict("flowers", measures()[VIRGINICA].tolist())
    assert answer.outputs["label"] == ["virginica"]
