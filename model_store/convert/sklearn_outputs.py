"""What an estimator answers: which of its methods gives which output, and the graph's outputs made to be the same."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.convert.graph import append, constant, declare_output, rename, rename_output
from model_store.convert.source import Batch

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto


class Output(NamedTuple):
    """An output, and the estimator's method that gives it.

    `part` is which of a list it is, if the method gives a list; `both`: one score for two classes stands for both.
    """

    name: str
    method: str
    part: int | None = None
    both: bool = False


def outputs_of(estimator: Any) -> tuple[Output, ...]:
    """Say which outputs a fitted estimator has."""
    from sklearn.base import is_classifier, is_clusterer, is_outlier_detector, is_regressor

    if is_regressor(estimator):
        return (Output("variable", "predict"),)
    if is_classifier(estimator):
        return (Output("label", "predict"), *_scores(estimator))
    if is_outlier_detector(estimator):
        return (Output("label", "predict"), Output("scores", "decision_function"))
    if hasattr(estimator, "predict_proba"):
        return (Output("label", "predict"), Output("probabilities", "predict_proba"))
    if is_clusterer(estimator) and hasattr(estimator, "transform"):
        return (Output("label", "predict"), Output("scores", "transform"))
    return (Output("variable", "transform" if hasattr(estimator, "transform") else "predict"),)


def _scores(classifier: Any) -> tuple[Output, ...]:
    if hasattr(classifier, "predict_proba"):
        if (several := many_classes(classifier)) is not None:
            return tuple(Output(f"probabilities_{i}", "predict_proba", i) for i in range(several))
        return (Output("probabilities", "predict_proba"),)
    if hasattr(classifier, "decision_function"):
        return (Output("scores", "decision_function", both=True),)
    return ()


def many_classes(classifier: Any) -> int | None:
    """Count the labels that a classifier gives at once, each with classes of its own; None if it gives one."""
    classes = getattr(classifier, "classes_", None)
    return len(classes) if isinstance(classes, list) else None


def labels_of(estimator: Any) -> tuple[str | int, ...]:
    """Give a classifier's labels, in the order of its scores; numbers as the integers that the graph answers with."""
    from sklearn.base import is_classifier

    classes = getattr(estimator, "classes_", None) if is_classifier(estimator) else None
    if classes is None or isinstance(classes, list):
        return ()
    array = np.asarray(classes)
    return tuple(str(c) if array.dtype.kind in "USOT" else int(c) for c in array.tolist())


def answer(estimator: Any, rows: Any, outputs: tuple[Output, ...]) -> Batch:
    """Ask an estimator, each method once, and lay its answers out as the graph does."""
    with warnings.catch_warnings():
        # LightGBM names the columns of an array, and then misses the names.
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        given = {method: getattr(estimator, method)(rows) for method in dict.fromkeys(o.method for o in outputs)}
    return {output.name: _laid_out(output, given[output.method]) for output in outputs}


def _laid_out(output: Output, value: Any) -> NDArray[Any]:
    if output.part is not None:
        value = value[output.part]
    array = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    if output.name == "label":
        return array.astype(object if array.dtype.kind in "USOT" else np.int64)
    if array.ndim > 1:
        return array
    column = array.reshape(-1, 1)
    return np.hstack([-column, column]) if output.both else column


def shape_outputs(model: ModelProto, estimator: Any, outputs: tuple[Output, ...]) -> None:
    """Make the graph's outputs those of `outputs`: names, no sequences, one row per row, scores of both classes."""
    graph = model.graph
    _strip_zipmap(graph)
    _split_sequences(graph, many_classes(estimator))
    del graph.output[len(outputs) :]
    for value, output in zip(list(graph.output), outputs, strict=False):
        rename_output(graph, value.name, output.name)
    names = {value.name for value in graph.output}
    if "label" in names:
        _shape_label(graph, estimator)
    if "scores" in names and any(output.method == "decision_function" for output in outputs):
        _shape_scores(graph, estimator)
    if "variable" in names:
        _shape_variable(graph)


def _shape_label(graph: GraphProto, estimator: Any) -> None:
    """One label per row, (rows,), or several, (rows, labels), as they are."""
    label = next(value for value in graph.output if value.name == "label")
    code = label.type.tensor_type.elem_type
    several: int = many_classes(estimator) or vars(estimator).get("n_outputs_", 1)
    if several > 1 or getattr(estimator, "multilabel_", False):
        declare_output(graph, "label", code, ["batch", several if several > 1 else len(estimator.classes_)])
        return
    append(graph, "label", [("Reshape", [constant(graph, "one_per_row", np.array([-1], np.int64))], {})])
    declare_output(graph, "label", code, ["batch"])


def _shape_scores(graph: GraphProto, estimator: Any) -> None:
    """A score per class; of two classes skl2onnx gives one column, or two with either sign."""
    from onnx import TensorProto

    classes = getattr(estimator, "classes_", None)
    if classes is None:
        append(graph, "scores", [("Reshape", [constant(graph, "one_score", np.array([-1, 1], np.int64))], {})])
        declare_output(graph, "scores", TensorProto.FLOAT, ["batch", 1])
    elif len(classes) == 2:
        second = 0 if type(last_step(estimator)).__name__ in ("SVC", "NuSVC") else -1
        column = constant(graph, "score_of_second", np.array([second], np.int64))
        signs = constant(graph, "signs", np.array([[-1, 1]], np.float32))
        append(graph, "scores", [("Gather", [column], {"axis": 1}), ("Mul", [signs], {})])
        declare_output(graph, "scores", TensorProto.FLOAT, ["batch", 2])


def _shape_variable(graph: GraphProto) -> None:
    variable = next(value for value in graph.output if value.name == "variable")
    tensor = variable.type.tensor_type
    if len(tensor.shape.dim) == 1:
        append(graph, "variable", [("Reshape", [constant(graph, "one_value", np.array([-1, 1], np.int64))], {})])
        declare_output(graph, "variable", tensor.elem_type, ["batch", 1])


def _strip_zipmap(graph: GraphProto) -> None:
    """Take the scores from before the ZipMap, which some converters write whatever one says."""
    from onnx import TensorProto

    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        graph.node.remove(node)
        rename(graph, node.output[0], node.input[0])
        declare_output(graph, node.input[0], TensorProto.FLOAT, ["batch", "classes"])


def _split_sequences(graph: GraphProto, several: int | None) -> None:
    """Give each label's probabilities an output of its own, in place of a sequence, or of one tensor of all."""
    from onnx import TensorProto, helper

    if several is None or len(graph.output) < 2:
        return
    whole = graph.output[1]
    del graph.output[1:]
    if whole.type.WhichOneof("value") == "sequence_type":
        node = next(node for node in graph.node if whole.name in node.output)
        parts = list(node.input)
        graph.node.remove(node)
    else:
        parts = [f"{whole.name}_of_{index}" for index in range(several)]
        for index, part in enumerate(parts):
            which = constant(graph, f"label_{index}", np.array(index, np.int64))
            graph.node.append(helper.make_node("Gather", [whole.name, which], [part], axis=0))
    for part in parts:
        declare_output(graph, part, TensorProto.FLOAT, ["batch", "classes"])


def last_step(estimator: Any) -> Any:
    """Find the part that answers, through pipelines and searches."""
    if (steps := getattr(estimator, "steps", None)) is not None:
        return last_step(steps[-1][1])
    if (best := getattr(estimator, "best_estimator_", None)) is not None:
        return last_step(best)
    return estimator
