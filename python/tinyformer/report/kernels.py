# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which code runs for a layer, and why it is that code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyformer.profile import OTHER

if TYPE_CHECKING:
    from tinyformer.profile import LayerProfile, Profile
    from tinyformer.targets import Target

_ARM, _XPULP = "arm", "xpulp"
_FAMILIES = {"cortex-m4": _ARM, "cortex-m7": _ARM, "ri5cy": _XPULP}

# By the beginning of a symbol; the first that fits counts.
_REASONS = {
    _ARM: (
        ("tf_row_product", "one row: two products an instruction (SMLAD)"),
        ("tf_product", "rows in pairs: two products an instruction (SMLAD), sums in registers"),
        ("tf_patches", "the patches of a convolution as rows in pairs"),
        ("tf_pack", "bytes extended to the pairs of 16 bits that SMLAD reads"),
        ("tf_row_sums", "sums of a row and of its squares"),
        ("tf_scale_row", "a normalised row scaled, shifted and saturated"),
    ),
    _XPULP: (
        ("tf_product", "four products an instruction (pv.sdotsp.b), sums in registers"),
        ("tf_layernorm", "sums of a row by pv.sdotsp.b, in hardware loops"),
    ),
}
_ANY_CORE = (
    ("tf_softmax", "exponentials from a table of 256 bytes"),
    ("tf_normalized_softmax", "exponentials from a table, divided by their sum"),
    ("tf_lookup", "the function as a table of 256 bytes"),
    ("tf_add", "both sides scaled, added and saturated"),
    ("tf_pool", "mean or maximum over the rows"),
    ("tf_requantize", "sums scaled and saturated to bytes"),
    ("tf_broadcast", "sums that begin with the bias"),
    ("tf_copy", "bytes copied"),
    ("tf_", "a kernel for this core"),
)
_PLAIN = "plain loops: there is no kernel for this op on this core"
# What the runtime and the compiler bring.
_HELPERS = (
    ("tf_divide", "64-bit division"),
    ("__aeabi_uldivmod", "64-bit division"),
    ("__aeabi_ldivmod", "64-bit division"),
    ("__udivdi3", "64-bit division"),
    ("__divdi3", "64-bit division"),
    ("__aeabi_mem", "bytes copied or set"),
    ("mem", "bytes copied or set"),
    ("tf_barrier", "waiting for the other cores"),
    ("tf_cluster_fork", "waiting for the other cores"),
    ("tf_dma", "waiting for the DMA"),
)


@dataclass(frozen=True)
class KernelUse:
    """The code that took most of a layer's cycles; `share` is its part of them."""

    layer: str
    kernel: str
    share: float
    reason: str


def kernel_uses(profile: Profile, target: Target) -> tuple[KernelUse, ...]:
    """The main kernel of each layer, the slowest layer first."""
    family = _FAMILIES.get(target.core, _ARM)
    return tuple(_use(layer, family) for layer in profile if layer.name != OTHER)


def _use(layer: LayerProfile, family: str) -> KernelUse:
    total = sum(layer.kernels.values()) or 1
    kernel, cycles = max(layer.kernels.items(), key=lambda item: item[1])
    return KernelUse(layer.name, kernel, cycles / total, _reason(kernel, family))


def _reason(kernel: str, family: str) -> str:
    known = (*_HELPERS, *_REASONS[family], *_ANY_CORE)
    return next((why for start, why in known if kernel.startswith(start)), _PLAIN)
