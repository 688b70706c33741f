"""Settings that do not go together: what AWS excludes, or what would mean nothing, each refused with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from warmstart.errors import InvalidSetting

if TYPE_CHECKING:
    from infra.config import StageConfig

_SNAPSHOT_STORAGE_MB: Final = 512
"""Lambda developer guide, "Improving startup performance with Lambda SnapStart", supported features."""


class _Refusal(NamedTuple):
    name: str
    message: str


def check_combinations(config: StageConfig) -> None:
    """Check settings against each other. Raises: InvalidSetting that names one of them, and the others."""
    for refusal in (_signatures(config), _images(config), _snapshots(config), _provisioned(config)):
        if refusal is not None:
            raise InvalidSetting(f"{refusal.name}: {refusal.message}", name=refusal.name)


def _signatures(config: StageConfig) -> _Refusal | None:
    if config.require_signature and not config.signing_public_keys:
        return _Refusal("require_signature", "expected a key in signing_public_keys to check signatures with; got none")
    return None


def _images(config: StageConfig) -> _Refusal | None:
    if config.packaging == "image" and config.layer_platform == "host":
        return _Refusal(
            "packaging",
            "expected zip on the local twin, got image: it runs no containers; add -c packaging=zip, which holds the "
            "same code and layers",
        )
    return None


def _snapshots(config: StageConfig) -> _Refusal | None:
    if not config.snap_start:
        return None
    if config.ephemeral_storage_mb > _SNAPSHOT_STORAGE_MB:
        return _Refusal(
            "snap_start",
            f"expected ephemeral_storage_mb of {_SNAPSHOT_STORAGE_MB} with it, got {config.ephemeral_storage_mb}: "
            "Lambda takes snapshots of no larger disk; set ephemeral_storage_mb to 512, or snap_start to false",
        )
    if config.packaging == "image":
        return _Refusal(
            "snap_start",
            "expected packaging of zip with it, got image: Lambda takes no snapshots of images; choose one",
        )
    if config.provisioned_concurrency is not None:
        return _Refusal(
            "snap_start",
            f"expected no provisioned_concurrency with it, got {config.provisioned_concurrency}: Lambda has one or the "
            "other on a version; choose one",
        )
    return None


def _provisioned(config: StageConfig) -> _Refusal | None:
    least, most = config.provisioned_concurrency, config.provisioned_concurrency_max
    if least is None and most is not None:
        return _Refusal("provisioned_concurrency_max", f"expected provisioned_concurrency to start from; got {most}")
    if least is None and config.provisioned_schedule:
        return _Refusal("provisioned_schedule", "expected provisioned_concurrency to start from; got none")
    if least is not None and most is not None and most < least:
        return _Refusal(
            "provisioned_concurrency_max", f"expected {least} or more, as provisioned_concurrency is; got {most}"
        )
    highest = max(most or 0, least or 0)
    if config.concurrency is not None and highest > config.concurrency:
        return _Refusal(
            "provisioned_concurrency",
            f"expected at most the {config.concurrency} of concurrency, got {highest}: Lambda provisions no more than "
            "is reserved",
        )
    return None
