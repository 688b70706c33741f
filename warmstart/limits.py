"""What Lambda and the gateway allow, and what the inference function reckons with; the gate forecasts by the same.

Source: Lambda developer guide, "Lambda quotas" and "Configure Lambda function memory"; API Gateway developer guide,
"Amazon API Gateway quotas". MB are of 2^20 bytes, as Lambda counts memory and disk.
"""

from __future__ import annotations

from typing import Final

MIB: Final = 1024 * 1024

MB_PER_VCPU: Final = 1769
"""Lambda gives one vCPU per 1,769 MB."""
MIN_MEMORY_MB: Final = 128
MAX_MEMORY_MB: Final = 10_240
MAX_STORAGE_MB: Final = 10_240
"""Of /tmp."""
INIT_S: Final = 10.0
"""The init phase is cut off after this, and done again within the first invocation's time."""
GATEWAY_S: Final = 29.0
"""The gateway gives up after this, an init phase that it waits for included."""
LAYERS_BYTES: Final = 250 * MIB
"""A function's code and all its layers, unzipped."""

RUNTIME_MB: Final = 96
"""What Python, numpy, ONNX Runtime and a request take beside the models: about 80 MB were measured."""
SESSION_WEIGHT: Final = 2.5
"""What an open session is counted with, times the bytes of its files: 1.1 to 2.4 were measured, more where kernels
keep a second, packed copy of the weights (docs/decisions/arena.md)."""
SPARE_BYTES: Final = 4 * MIB
"""What is left free on the disk beside a model."""

MAX_PAYLOAD_BYTES: Final = 256 * MIB
"""Of a body by reference, however much memory there is."""
PAYLOAD_SHARE: Final = 8
"""A body by reference may take one part in so many of the memory: JSON takes several times its size once it is read."""


def vcpus(memory_mb: int) -> float:
    """Return the share of processors that a function of this memory has."""
    return memory_mb / MB_PER_VCPU


def threads(memory_mb: int) -> int:
    """Return the threads of one inference: the number of vCPUs, at least one."""
    return max(1, round(memory_mb / MB_PER_VCPU))


def session_budget_bytes(memory_mb: int) -> int:
    """Return what all open sessions of a function may take together."""
    return max(memory_mb - RUNTIME_MB, 0) * MIB


def payload_bytes(memory_mb: int) -> int:
    """Return what a body by reference may have at most, in a function of this memory."""
    return min(MAX_PAYLOAD_BYTES, memory_mb * MIB // PAYLOAD_SHARE)
