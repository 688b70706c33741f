"""Saves the model as MLflow's ONNX flavor does, into `model/`; `mlflow models serve` does the rest."""

from __future__ import annotations

import mlflow.onnx
import onnx

if __name__ == "__main__":
    mlflow.onnx.save_model(onnx.load("tabular.onnx"), "model", pip_requirements=["mlflow", "onnx", "onnxruntime"])
