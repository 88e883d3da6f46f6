# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether weights of attention were fused, and why, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinyformer.decisions import FusionDecision
    from tinyformer.options import CompileOptions


def fusion_reason(decision: FusionDecision, options: CompileOptions) -> str:
    """Why a layer's weights were fused or not."""
    if options.fuse != "auto":
        return f"--fuse {options.fuse}"
    if decision.quantized:
        return "arrives quantised: keeps its own integers"
    what = "weight bytes" if options.optimize == "size" else "cycles"
    return f"{'fewer' if decision.fused else 'not fewer'} {what}"


def fusion_line(decision: FusionDecision, reason: str) -> str:
    """What was decided for a layer, why, and both estimates."""
    return (
        f"{decision.layer}: weights {'fused' if decision.fused else 'not fused'} "
        f"({reason}); {decision.plain_cycles:,.0f} cycles plain, {decision.fused_cycles:,.0f} "
        f"fused (estimates for one core); {decision.plain_weight_bytes:,} weight bytes plain, "
        f"{decision.fused_weight_bytes:,} fused"
    )


def fusion_lines(decisions: Iterable[FusionDecision], options: CompileOptions) -> list[str]:
    """A line for each attention layer."""
    return [fusion_line(decision, fusion_reason(decision, options)) for decision in decisions]


def fusion_json(
    decisions: Iterable[FusionDecision], options: CompileOptions
) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {**asdict(decision), "reason": fusion_reason(decision, options)} for decision in decisions
    ]
