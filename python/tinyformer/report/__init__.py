# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What was decided about a compilation, in pictures and pages.

A picture is a pure function of data, in a module of its own, as SVG for pages and as lines of text
for terminals.
"""
