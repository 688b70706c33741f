"""Python objects in files: seen without being read, read only where they are trusted."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from lightgbm import LGBMClassifier
from sklearn.datasets import load_iris
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_store.convert.pickles import Saved, load_saved, saved
from model_store.convert.source import LoadOptions
from warmstart.errors import UnsupportedModel, Untrusted

PIPELINE = "sklearn.pipeline.Pipeline"
TRUST = LoadOptions(trust=True)


@pytest.fixture(scope="module")
def pipeline() -> Any:
    x, y = load_iris(return_X_y=True)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)


class Bomb:
    """Writes a file when it is read from a pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


class FromElsewhere:
    """Warns when it is read, as scikit-learn's estimators do."""

    def __setstate__(self, state: object) -> None:
        warning = InconsistentVersionWarning(
            estimator_name="Ridge", current_sklearn_version="1.9.1", original_sklearn_version="1.2.0"
        )
        warnings.warn(warning, stacklevel=1)

    def __getstate__(self) -> dict[str, int]:
        return {"a": 1}


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_any_protocol_says_whose_object_it_holds(pipeline: Any, tmp_path: Path, protocol: int) -> None:
    (tmp_path / "model").write_bytes(pickle.dumps(pipeline, protocol=protocol))

    assert saved(tmp_path / "model") == Saved("a pickle", PIPELINE)


@pytest.mark.parametrize("compressor", ["zlib", "gzip", "bz2", "xz", "lzma"])
def test_a_compressed_joblib_file_says_whose_object_it_holds(pipeline: Any, tmp_path: Path, compressor: str) -> None:
    joblib.dump(pipeline, tmp_path / "model", compress=(compressor, 3))

    assert saved(tmp_path / "model") == Saved("a compressed joblib file", PIPELINE)


def test_a_skops_file_says_whose_object_it_holds(pipeline: Any, tmp_path: Path) -> None:
    skops.io.dump(pipeline, tmp_path / "model")

    assert saved(tmp_path / "model") == Saved("skops", PIPELINE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"tree\nversion=v4\n",
        b'{"learner": {}}',
        b"\x1f\x8bnothing",
        b"PK\x03\x04",
        b"import pickle, joblib\nimport numpy as np\n",  # `i` is an instruction with two lines
    ],
)
def test_what_holds_no_object_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)

    assert saved(tmp_path / "file") is None


def test_looking_at_a_pickle_does_not_run_it(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))

    found = saved(tmp_path / "model.pkl")

    assert found is not None
    assert found.package == "pathlib"
    assert not (tmp_path / "ran").exists()


def test_a_pickle_is_not_read_without_trust(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))

    with pytest.raises(Untrusted, match=r"runs the code that it contains.*--trust.*skops"):
        load_saved(tmp_path / "model.pkl", LoadOptions())

    assert not (tmp_path / "ran").exists()


def test_a_trusted_pickle_is_read(pipeline: Any, tmp_path: Path) -> None:
    joblib.dump(pipeline, tmp_path / "model.joblib")

    loaded = load_saved(tmp_path / "model.joblib", TRUST)

    np.testing.assert_array_equal(loaded.model.predict([[5, 3, 1, 0]]), pipeline.predict([[5, 3, 1, 0]]))  # type: ignore[attr-defined]  # it is typed as any object
    assert loaded.warned == ()


def test_that_another_version_wrote_it_is_kept(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(FromElsewhere()))

    assert load_saved(tmp_path / "model.pkl", TRUST).warned == (
        "Trying to unpickle estimator Ridge from version 1.2.0 when using version 1.9.1",
    )


def test_a_pickle_that_is_cut_off_is_refused(pipeline: Any, tmp_path: Path) -> None:
    whole = pickle.dumps(pipeline)
    (tmp_path / "model.pkl").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(UnsupportedModel, match=r"a pickle of sklearn\.pipeline\.Pipeline cannot be read here"):
        load_saved(tmp_path / "model.pkl", TRUST)


def test_a_pickle_whose_class_is_not_here_says_which(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"cmissing_package.models\nNet\n.")

    with pytest.raises(UnsupportedModel, match=r"missing_package\.models\.Net needs what is not here"):
        load_saved(tmp_path / "model.pkl", TRUST)


def test_a_skops_file_of_types_that_are_known_needs_no_trust(pipeline: Any, tmp_path: Path) -> None:
    skops.io.dump(pipeline, tmp_path / "model.skops")

    assert type(load_saved(tmp_path / "model.skops", LoadOptions()).model).__name__ == "Pipeline"


def test_a_skops_file_of_other_types_lists_them(tmp_path: Path) -> None:
    x, y = load_iris(return_X_y=True)
    skops.io.dump(LGBMClassifier(n_estimators=2, verbose=-1).fit(x, y), tmp_path / "model.skops")

    with pytest.raises(Untrusted, match=r"lightgbm\.basic\.Booster"):
        load_saved(tmp_path / "model.skops", LoadOptions())
    assert type(load_saved(tmp_path / "model.skops", TRUST).model).__name__ == "LGBMClassifier"
