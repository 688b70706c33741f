"""Names of processors' kinds, out of what Linux says of them."""

from __future__ import annotations

import pytest

from warmstart.processor import architecture, layout_name, processor

X86 = "processor\t: 0\nmodel name\t: some\nflags\t\t: fpu sse4_1 {}\n\nprocessor\t: 1\nflags\t\t: fpu\n"
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd {}\nCPU implementer\t: 0x41\n"


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ("avx avx2 fma avx512f avx512bw avx512dq avx512vl avx512_vnni amx_int8", "x86_64-avx512-vnni-amx"),
        ("avx avx2 fma avx512f avx512bw avx512dq avx512vl avx512_vnni avx_vnni", "x86_64-avx512-vnni"),
        ("avx avx2 fma avx512f avx512bw avx512dq avx512vl", "x86_64-avx512"),
        ("avx avx2 fma avx512f", "x86_64-avx512f"),
        ("avx avx2 fma avx_vnni", "x86_64-avx2-vnni"),
        ("avx avx2 fma", "x86_64-avx2"),
        ("avx avx2", "x86_64-avx"),
        ("", "x86_64-sse"),
    ],
)
def test_an_x86_processor_is_named_for_what_the_runtime_chooses_its_kernels_by(flags: str, name: str) -> None:
    assert processor(X86.format(flags), "x86_64") == name


@pytest.mark.parametrize(
    ("features", "name"),
    [
        ("", "arm64-neon"),
        ("asimddp", "arm64-neon-dot"),
        ("asimddp sve i8mm bf16", "arm64-neon-dot-i8mm-bf16-sve"),
        ("asimddp sve i8mm bf16 sme", "arm64-neon-dot-i8mm-bf16-sve-sme"),
    ],
)
def test_an_arm_processor_too(features: str, name: str) -> None:
    assert processor(ARM.format(features), "aarch64") == name


@pytest.mark.parametrize(("cpuinfo", "machine"), [("", "x86_64"), (X86.format("avx2"), "riscv64")])
def test_a_processor_of_which_nothing_is_known_has_no_name(cpuinfo: str, machine: str) -> None:
    assert processor(cpuinfo, machine) is None
    assert layout_name(cpuinfo, machine, "1.28.0") is None


def test_a_layout_is_for_one_release_of_the_runtime() -> None:
    assert layout_name(ARM.format("asimddp"), "aarch64", "1.28.0") == "arm64-neon-dot-ort1.28"
    assert layout_name(ARM.format("asimddp"), "aarch64", "1.29.1") == "arm64-neon-dot-ort1.29"


def test_architectures_are_called_what_lambda_calls_them() -> None:
    assert [architecture(machine) for machine in ("aarch64", "x86_64", "AMD64", "s390x")] == [
        "arm64",
        "x86_64",
        "x86_64",
        None,
    ]
