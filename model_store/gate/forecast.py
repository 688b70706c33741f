"""Step 6: whether it will work in the function that is going to serve it, how fast, and at what price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from model_store.convert.source import Batch
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.measure import Measured, available_bytes, measure, one_request
from model_store.gate.prices import Prices, read_prices
from model_store.gate.sample import cast
from model_store.gate.speed import Cold, Speed, billed_s
from model_store.gate.steps import Figure, GateOptions, Outcome, Rejected, Target
from warmstart import limits

MEMORY_MB: Final = (512, 1024, 1769, 3008, 5307, 8846, 10_240)
"""What is reckoned for: half a vCPU and less, 1, the most of a new account, 3, 5, and the most there is."""
HEADROOM: Final = 1.25
"""A recommended memory is at least this times what is needed: requests may have more rows than the one tried."""
GOOD_ENOUGH: Final = 1.1
"""A target's own memory is recommended if its balance is within this of the best: times are never known that well."""
COLD_SHARE: Final = 0.01
"""The recommendation takes one answer in a hundred for a cold one."""
STORAGE_STEP_MB: Final = 512
_SMALLER: Final = "make it smaller, such as with --quantize int8"

Measure = Callable[[Layout, Batch, tuple[int, ...]], Measured]
Available = Callable[[], int | None]


def forecast(
    candidate: Candidate,
    inputs: Batch,
    options: GateOptions,
    *,
    measure: Measure = measure,
    available: Available = available_bytes,
) -> Outcome[None]:
    """Measure here, reckon for `options.target`; docs/forecast.md says how.

    `available` is this machine's free memory in bytes. Raises: Rejected for what cannot work there, with the setting
    that would make it work; InvalidSetting for a price table that is none.
    """
    target, specs = options.target, candidate.signature.inputs
    prices = read_prices(options.prices)
    size = max(layout.size_bytes for layout in (candidate.layout, *candidate.variants.values()))
    if problems := [*_unloadable(size, target), *_too_large_for_disk(size, target)]:
        raise Rejected("; ".join(problems), figures={"target": _target(target), "sizes": {"files_bytes": size}})
    _check_machine(size, available())
    counts = (limits.threads(target.memory_mb), *dict.fromkeys(limits.threads(memory) for memory in MEMORY_MB))
    measured = measure(candidate.layout, cast(one_request(inputs, specs), specs), counts)
    reckoned = Reckoned(target=target, prices=prices, speed=Speed(measured=measured, size_bytes=size))
    figures = reckoned.figures()
    if problems := [*reckoned.too_little_memory(), *reckoned.too_slow()]:
        raise Rejected("; ".join(problems), figures=figures)
    return Outcome(None, reckoned.summary(), figures)


@dataclass(frozen=True, kw_only=True)
class Reckoned:
    """A model in a function: what it needs, takes and costs at each memory."""

    target: Target
    prices: Prices
    speed: Speed

    @property
    def needed_mb(self) -> int:
        """Memory below which the function would die: the runtime, and the most that a session held."""
        measured, size = self.speed.measured, self.speed.size_bytes
        held = size * limits.SESSION_WEIGHT if measured.peak_bytes is None else max(measured.peak_bytes, size)
        return limits.RUNTIME_MB + _mb(held)

    def too_little_memory(self) -> list[str]:
        """Say what is wrong with the target's memory, nothing if it is enough."""
        memory_mb = self.target.memory_mb
        if self.needed_mb <= memory_mb:
            return []
        needs = f"expected to need at most memory_mb = {memory_mb}, it needs {self.needed_mb} MB"
        enough = next((m for m in MEMORY_MB if self._has_room(m)), None)
        if enough is None:
            return [f"{needs}; a function has at most {limits.MAX_MEMORY_MB}: {_SMALLER}"]
        return [f"{needs}: set memory_mb to {enough}"]

    def too_slow(self) -> list[str]:
        """Say which time limit a first answer would pass, nothing if none."""
        cold = self.speed.cold(self.target.memory_mb)
        if not (what := self._passed(cold, self.target.timeout_s)):
            return []
        larger = (m for m in MEMORY_MB if m > self.target.memory_mb and self._has_room(m))
        if not self._passed(cold, limits.GATEWAY_S):
            return [f"{what}: set timeout_s to {int(limits.GATEWAY_S)}"]
        for memory_mb in larger:
            if not self._passed(self.speed.cold(memory_mb), self.target.timeout_s):
                return [f"{what}: set memory_mb to {memory_mb}"]
        return [f"{what}, and no memory makes it faster than that: {_SMALLER}"]

    def recommended_mb(self) -> int:
        """Balance price and time, each as a share of its largest, over all sizes that work; the least sum wins.

        As AWS Lambda Power Tuning's strategy "balanced" does with a weight of 0.5. Both count `COLD_SHARE` of cold
        answers. The target's own size stays if it is nearly as good; the largest is recommended if none works.
        """
        own = self.target.memory_mb
        sizes = sorted(m for m in {*MEMORY_MB, own} if self._works(m))
        if not sizes:
            return limits.MAX_MEMORY_MB
        prices = {m: _blend(self.price_warm(m), self.price_cold(m)) for m in sizes}
        times = {m: _blend(self.speed.warm_s(m), self.speed.cold(m).total_s) for m in sizes}
        most_expensive, slowest = max(prices.values()), max(times.values())
        balance = {m: prices[m] / (most_expensive or 1) + times[m] / (slowest or 1) for m in sizes}
        best = min(sizes, key=lambda m: balance[m])
        return own if own in balance and balance[own] <= GOOD_ENOUGH * balance[best] else best

    def recommended_storage_mb(self) -> int:
        """Disk for two versions: while an alias moves, the old one is still open."""
        needed = _mb(2 * (self.speed.size_bytes + limits.SPARE_BYTES))
        return min(max(-(-needed // STORAGE_STEP_MB) * STORAGE_STEP_MB, STORAGE_STEP_MB), limits.MAX_STORAGE_MB)

    def price_warm(self, memory_mb: int) -> float:
        """Return the price of 1,000 warm predictions."""
        return self.prices.per_thousand(billed_s(self.speed.warm_s(memory_mb)), memory_mb, self.target)

    def price_cold(self, memory_mb: int) -> float:
        """Return the price of 1,000 cold predictions: the init phase is billed, too."""
        return self.prices.per_thousand(billed_s(self.speed.cold(memory_mb).total_s), memory_mb, self.target)

    def summary(self) -> str:
        """Say it in a line."""
        memory_mb = self.target.memory_mb
        cold, warm_s = self.speed.cold(memory_mb).total_s, self.speed.warm_s(memory_mb)
        hints = [f"memory_mb {self.recommended_mb()}"] if self.recommended_mb() != memory_mb else []
        if (storage_mb := self.recommended_storage_mb()) > self.target.ephemeral_storage_mb:
            hints.append(f"ephemeral_storage_mb {storage_mb}, for two versions")
        hint = f"; recommended: {', '.join(hints)}" if hints else ""
        return (
            f"needs {self.needed_mb} of {memory_mb} MB; "
            f"first answer {_short(cold)} s, warm {_short(warm_s * 1000)} ms, "
            f"{self.price_warm(memory_mb):.4f} {self.prices.currency} per 1,000{hint}"
        )

    def figures(self) -> dict[str, Figure]:
        """Give everything for the report."""
        measured = self.speed.measured
        sizes = sorted({*MEMORY_MB, self.target.memory_mb})
        return {
            "target": _target(self.target),
            "measured_on": {
                "processor": measured.processor,
                "machine": measured.machine,
                "cores": measured.cores,
                "onnxruntime": measured.onnxruntime,
            },
            "sizes": {
                "files_bytes": self.speed.size_bytes,
                "resident_bytes": measured.resident_bytes,
                "peak_bytes": measured.peak_bytes,
                "needed_memory_mb": self.needed_mb,
                "needed_storage_mb": _mb(self.speed.size_bytes + limits.SPARE_BYTES),
            },
            "limits": {"init_s": limits.INIT_S, "gateway_s": limits.GATEWAY_S, "timeout_s": self.target.timeout_s},
            "by_memory": [self._row(memory_mb) for memory_mb in sizes],
            "prices": {
                "as_of": self.prices.as_of,
                "region": self.prices.region,
                "currency": self.prices.currency,
                "sources": list(self.prices.sources),
            },
            "recommended": {
                "memory_mb": self.recommended_mb(),
                "ephemeral_storage_mb": self.recommended_storage_mb(),
            },
        }

    def _row(self, memory_mb: int) -> dict[str, Figure]:
        cold = self.speed.cold(memory_mb)
        return {
            "memory_mb": memory_mb,
            "vcpus": round(limits.vcpus(memory_mb), 2),
            "threads": limits.threads(memory_mb),
            "basis": self.speed.basis(memory_mb),
            "works": not self._passed(cold, self.target.timeout_s) and self.needed_mb <= memory_mb,
            "warm_ms": _rounded(self.speed.warm_s(memory_mb) * 1000),
            "init_s": _rounded(cold.init_s),
            "download_s": _rounded(cold.download_s),
            "hash_s": _rounded(cold.hash_s),
            "session_s": _rounded(cold.session_s),
            "first_run_s": _rounded(cold.first_run_s),
            "load_s": _rounded(cold.load_s),
            "cold_s": _rounded(cold.total_s),
            "price_per_1000_warm": _rounded(self.price_warm(memory_mb)),
            "price_per_1000_cold": _rounded(self.price_cold(memory_mb)),
        }

    def _has_room(self, memory_mb: int) -> bool:
        return self.needed_mb * HEADROOM <= memory_mb

    def _works(self, memory_mb: int) -> bool:
        return self._has_room(memory_mb) and not self._passed(self.speed.cold(memory_mb), self.target.timeout_s)

    @staticmethod
    def _passed(cold: Cold, timeout_s: float) -> str:
        """Say which limit a first answer would pass, "" if none."""
        if cold.init_s > limits.INIT_S:
            return f"init phase: expected at most {limits.INIT_S:.0f} s, forecast {cold.init_s:.1f} s"
        if cold.load_s > timeout_s:
            return f"first invocation: expected at most timeout_s = {timeout_s:g}, forecast {cold.load_s:.1f} s"
        if cold.total_s > limits.GATEWAY_S:
            return f"first answer: the gateway gives up after {limits.GATEWAY_S:.0f} s, forecast {cold.total_s:.1f} s"
        return ""


def _unloadable(size: int, target: Target) -> list[str]:
    """Say what the inference function would refuse before it fetches: files that are larger than what it may open."""
    if size <= limits.session_budget_bytes(target.memory_mb):
        return []
    largest = limits.session_budget_bytes(limits.MAX_MEMORY_MB)
    if size > largest:
        return [f"expected files of at most {_mb(largest)} MB: no function opens more, got {_mb(size)} MB: {_SMALLER}"]
    needed = limits.RUNTIME_MB + _mb(size * limits.SESSION_WEIGHT)
    enough = next((m for m in MEMORY_MB if m >= needed), limits.MAX_MEMORY_MB)
    allowed = _mb(limits.session_budget_bytes(target.memory_mb))
    what = f"expected files of at most {allowed} MB with memory_mb = {target.memory_mb}, got {_mb(size)} MB"
    return [f"{what}: set memory_mb to {enough}"]


def _too_large_for_disk(size: int, target: Target) -> list[str]:
    needed = _mb(size + limits.SPARE_BYTES)
    if needed <= target.ephemeral_storage_mb:
        return []
    what = (
        f"expected at most {target.ephemeral_storage_mb} MB of /tmp (ephemeral_storage_mb), "
        f"got {_mb(size)} MB of files and {_mb(limits.SPARE_BYTES)} MB to spare"
    )
    if needed > limits.MAX_STORAGE_MB:
        return [f"{what}; a function has at most {limits.MAX_STORAGE_MB}: {_SMALLER}"]
    return [f"{what}: set ephemeral_storage_mb to {-(-needed // STORAGE_STEP_MB) * STORAGE_STEP_MB}"]


def _check_machine(size: int, available: int | None) -> None:
    """Do not try what this machine cannot hold. Raises: Rejected."""
    if available is not None and size > available:
        raise Rejected(
            f"expected {_mb(size)} MB of free memory to try the model in a process of its own, this machine has "
            f"{_mb(available)}: close something, or publish from a larger machine"
        )


def _target(target: Target) -> dict[str, Figure]:
    return {
        "architecture": target.architecture,
        "memory_mb": target.memory_mb,
        "ephemeral_storage_mb": target.ephemeral_storage_mb,
        "timeout_s": target.timeout_s,
    }


def _blend(warm: float, cold: float) -> float:
    return (1 - COLD_SHARE) * warm + COLD_SHARE * cold


def _rounded(value: float) -> float:
    """Four digits: more would claim what nobody knows."""
    return float(f"{value:.4g}")


def _short(value: float) -> str:
    """Write two digits, and all of those before the point."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _mb(size_bytes: float) -> int:
    return int(-(-size_bytes // limits.MIB))
