"""The kind of processor a machine has, as far as ONNX Runtime lays a model out differently for it."""

from __future__ import annotations

from typing import Final

_MACHINES: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_X86_TIERS: Final = (
    ("avx512", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    ("avx512f", {"avx512f"}),
    ("avx2", {"avx2", "fma"}),
    ("avx", {"avx"}),
)
"""What its kernels for x86_64 are chosen by, best first (onnxruntime/core/mlas/lib/platform.cpp)."""
_X86_EXTRAS: Final = (("vnni", {"avx512_vnni", "avx_vnni"}), ("amx", {"amx_int8"}))
_ARM_EXTRAS: Final = (
    ("dot", {"asimddp"}),
    ("i8mm", {"i8mm"}),
    ("bf16", {"bf16"}),
    ("sve", {"sve"}),
    ("sme", {"sme", "sme2"}),
)


def architecture(machine: str) -> str | None:
    """Name a machine's architecture as Lambda does, from what `uname -m` says; None if Lambda has none like it."""
    return _MACHINES.get(machine.lower())


def processor(cpuinfo: str, machine: str) -> str | None:
    """Name a processor's kind (`x86_64-avx512-vnni`, `arm64-neon-dot`), None if it cannot be known.

    `cpuinfo` is the text of /proc/cpuinfo, `machine` what `uname -m` says. Two machines of one name have the same
    instruction sets, out of those that ONNX Runtime chooses its kernels by, and so take the same layouts.
    """
    kind = architecture(machine)
    features = _features(cpuinfo)
    if kind is None or not features:
        return None
    if kind == "arm64":
        return "-".join(("arm64", "neon", *(name for name, flags in _ARM_EXTRAS if flags & features)))
    tier = next((name for name, flags in _X86_TIERS if flags <= features), "sse")
    return "-".join((kind, tier, *(name for name, flags in _X86_EXTRAS if flags & features)))


def layout_name(cpuinfo: str, machine: str, runtime: str) -> str | None:
    """Name what a layout for one kind of processor is made for: that, and the runtime's release, `1.28` of `1.28.0`.

    How a runtime lays weights out is its own affair, and may change with a release: what another one wrote is not
    opened. None if the processor's kind cannot be known.
    """
    if (kind := processor(cpuinfo, machine)) is None:
        return None
    return f"{kind}-ort{'.'.join(runtime.split('.')[:2])}"


def _features(cpuinfo: str) -> frozenset[str]:
    """Read the first processor's: `flags` on x86, `Features` on ARM."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()
