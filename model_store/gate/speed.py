"""From what was measured on this machine to what a function of some memory takes.

Lambda gives a function memory_mb / 1,769 vCPUs. Work that takes `wall_s` here with as many threads as the function
has, and `cpu_s` of all processors together, takes there whichever is longer: `wall_s`, or `cpu_s` ÷ vCPUs. Numbers of
threads that were not tried are reckoned by Amdahl's law from those that were. A processor of Lambda's is taken to be as
fast as one of this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from model_store.gate.measure import Measured, Timing
from warmstart import limits

DOWNLOAD_BYTES_PER_S: Final = 90e6
"""An assumption: what one connection to S3 gives (S3 user guide, "Performance design patterns": 85 to 90 MB/s). Up to
eight are opened at once, but what the network of a function takes in altogether is not documented."""
REQUESTS_S: Final = 3 * 0.025
"""An assumption: alias, manifest and artifact, 25 ms until the first byte of each."""
OWN_INIT_S: Final = 0.06
"""Imports of ours and the TLS context, of a processor's time: 35 ms, and 25 ms by docs/performance.md, "TLS"."""
HANDLER_S: Final = 20e-6
READ_S: Final = 80e-9
WRITE_S: Final = 30e-9
"""The handler's own time per invocation, and per number in a JSON request and answer: docs/performance.md, "Cold and
warm", as of tabular, resnet and minilm."""


@dataclass(frozen=True, kw_only=True)
class Cold:
    """The parts of a first answer in a new execution environment, in seconds."""

    init_s: float
    download_s: float
    hash_s: float
    session_s: float
    first_run_s: float

    @property
    def load_s(self) -> float:
        """The first invocation: all but the init phase."""
        return self.download_s + self.hash_s + self.session_s + self.first_run_s

    @property
    def total_s(self) -> float:
        """What a caller waits, beside the time that Lambda takes to make an environment."""
        return self.init_s + self.load_s


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Times of one model, whose files have `size_bytes`."""

    measured: Measured
    size_bytes: int

    def warm_s(self, memory_mb: int) -> float:
        """The time of a warm invocation with a single row, JSON included; the gateway's own is not."""
        share = limits.vcpus(memory_mb)
        values = self.measured.values_in * READ_S + self.measured.values_out * WRITE_S
        return _throttled(self._run(limits.threads(memory_mb)), share) + (HANDLER_S + values) / min(share, 1)

    def basis(self, memory_mb: int) -> Literal["measured", "scaled"]:
        """Say whether a run with this function's threads was timed here, and is not slowed down by its share there."""
        threads = limits.threads(memory_mb)
        return "measured" if threads in self.measured.warm and limits.vcpus(memory_mb) >= threads else "scaled"

    def cold(self, memory_mb: int) -> Cold:
        """The time of a first answer. AWS promises the init phase no more processor than invocations: nor do we."""
        share = limits.vcpus(memory_mb)
        return Cold(
            init_s=_throttled(self.measured.init, share) + OWN_INIT_S / min(share, 1),
            download_s=REQUESTS_S + self.size_bytes / DOWNLOAD_BYTES_PER_S,
            hash_s=self.size_bytes / self.measured.hash_bytes_per_s / min(share, 1),
            session_s=_throttled(self.measured.session, share),
            first_run_s=_throttled(self.measured.first_run, share) + HANDLER_S / min(share, 1),
        )

    def _run(self, threads: int) -> Timing:
        """Take one run with so many threads: as timed, else by Amdahl's law from one and the most that were tried."""
        warm = self.measured.warm
        if threads in warm:
            return warm[threads]
        fewest, most = min(warm), max(warm)
        parallel = 0.0
        if most > fewest:
            gained = 1 - warm[most].wall_s / warm[fewest].wall_s
            parallel = min(max(gained / (1 - fewest / most), 0.0), 1.0)
        wall_s = warm[fewest].wall_s * (1 - parallel + parallel * fewest / threads)
        return Timing(wall_s, warm[most].cpu_s)


def billed_s(seconds: float) -> float:
    """Round up to the millisecond, as Lambda bills."""
    return ceil(round(seconds * 1000, 6)) / 1000


def _throttled(timing: Timing, share: float) -> float:
    return max(timing.wall_s, timing.cpu_s / share)
