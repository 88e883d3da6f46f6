# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Choices that the user need not make."""

DEFAULT_PERCENTILE = 99.99
"""Share of the values, in percent, that a calibrated range covers on either side."""

DEFAULT_UNROLL = 32
"""Steps of an inner product that a kernel of Cortex-M unrolls: 1.8 KB of code."""
