"""The control plane's documents, as its OpenAPI description shows them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from handlers.control.service import Model
from model_store.history import AliasChange
from model_store.registry import Alias

_CHANGE: Final[dict[str, Any]] = {
    "alias": "live",
    "version": 3,
    "previous_version": 2,
    "changed_at": "2026-01-31T12:00:00.000Z",
    "changed_by": "arn:aws:sts::123456789012:assumed-role/releaser/anna",
    "reason": "fewer false alarms on the March data",
}
_ALIAS: Final[dict[str, Any]] = {"model": "iris", **_CHANGE, "etag": '"9b2cf535f27731c974343645a3985328"'}


def _example(document: dict[str, Any]) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [document]})


class ModelName(BaseModel):
    """One model of the list."""

    model_config = _example({"name": "iris"})

    name: str


class ModelList(BaseModel):
    """All models, by name. The list is complete: there are no pages."""

    model_config = _example({"models": [{"name": "iris"}]})

    models: list[ModelName]


class AliasView(BaseModel):
    """Where an alias points, and how it came there."""

    model_config = _example(_ALIAS)

    model: str
    alias: str
    version: int
    previous_version: int | None = Field(description="Null when the alias was created by this change.")
    changed_at: str = Field(description="UTC, ISO 8601.")
    changed_by: str = Field(description="The ARN of who moved it, or what the publisher called itself.")
    reason: str
    etag: str = Field(description="What If-Match has to name to move it from here; quotes included.")

    @classmethod
    def of(cls, model: str, alias: Alias) -> AliasView:
        """Show an alias."""
        change = alias.change._asdict()
        del change["id"]
        return cls(model=model, etag=alias.etag, **change)


class AliasList(BaseModel):
    """All aliases of a model, by name. The list is complete: there are no pages."""

    model_config = _example({"aliases": [_ALIAS]})

    aliases: list[AliasView]


class ModelView(BaseModel):
    """A model's versions, oldest first, and its aliases, by name; both complete."""

    model_config = _example({"name": "iris", "versions": [1, 2, 3], "aliases": [_ALIAS]})

    name: str
    versions: list[int]
    aliases: list[AliasView]

    @classmethod
    def of(cls, model: Model) -> ModelView:
        """Show a model."""
        return cls(
            name=model.name,
            versions=list(model.versions),
            aliases=[AliasView.of(model.name, alias) for alias in model.aliases],
        )


class ChangeView(BaseModel):
    """One change of an alias."""

    model_config = _example({"id": "20260131T120000.000000Z-5f1c", **_CHANGE})

    id: str
    alias: str
    version: int
    previous_version: int | None
    changed_at: str
    changed_by: str
    reason: str


class History(BaseModel):
    """Every change of a model's aliases, oldest first. The list is complete: there are no pages."""

    model_config = _example({"history": [{"id": "20260131T120000.000000Z-5f1c", **_CHANGE}]})

    history: list[ChangeView]

    @classmethod
    def of(cls, changes: list[AliasChange]) -> History:
        """Show the changes."""
        return cls(history=[ChangeView(**change._asdict()) for change in changes])


class AliasMove(BaseModel):
    """Where to point an alias."""

    model_config = _example({"version": 3, "reason": "fewer false alarms on the March data"})

    version: Annotated[int, Field(strict=True, ge=1, le=999_999_999, description="A published version.")]
    reason: Annotated[str, Field(max_length=500, description="Kept in the history.")] = ""


class TensorView(BaseModel):
    """An input or output; -1 in the shape is any size."""

    model_config = _example({"name": "input", "datatype": "FP32", "shape": [-1, 4]})

    name: str
    datatype: str
    shape: list[int]


class FileView(BaseModel):
    """A file of a version."""

    model_config = _example({"path": "model.onnx", "size_bytes": 1024, "sha256": "ab" * 32})

    path: str
    size_bytes: int
    sha256: str


class ManifestView(BaseModel):
    """All that is known of a version. Fields that this release does not know are shown as they are stored."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "schema_version": "1.0",
                    "name": "iris",
                    "version": 3,
                    "created_at": "2026-01-31T11:58:00.000Z",
                    "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 4]}],
                    "outputs": [{"name": "label", "datatype": "INT64", "shape": [-1]}],
                    "labels": ["setosa", "versicolor", "virginica"],
                    "files": [{"path": "model.onnx", "size_bytes": 1024, "sha256": "ab" * 32}],
                    "provenance": {"framework": "scikit-learn 1.8.0"},
                }
            ]
        },
    )

    schema_version: str
    name: str
    version: int
    created_at: str
    inputs: list[TensorView]
    outputs: list[TensorView]
    labels: list[str | int]
    files: list[FileView]
    provenance: dict[str, Any]
