"""What is served to the clients: names alone, for their environments have none of the product's packages.

`doubler` 1 (alias canary) gives y = 2x, 2 (live) gives y = 3x: FP32 [-1, 2]. `adder`: sum = a + b, FP32 [-1, 1].
`animals`: y = x, FP32 [-1, 3], with labels. `identity-fp32` and so on: y = x, [-1, 2].
"""

from __future__ import annotations

from typing import Final

DATATYPES: Final = (
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32",
    "FP64", "BYTES",
)  # fmt: skip
LABELS: Final = ("cat", "dog", "owl")
