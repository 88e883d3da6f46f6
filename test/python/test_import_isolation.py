# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Importing the package must cost nothing; heavy libraries come when they are needed."""

import subprocess
import sys

HEAVY = (
    *("numpy", "onnx", "onnxruntime", "unicorn", "capstone", "rich", "jinja2"),
    *("tinyformer.mlir", "tinyformer._pulp"),
)


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return set(result.stdout.split())


def test_package_is_light() -> None:
    assert loaded_by("import tinyformer").isdisjoint(HEAVY)


def test_targets_are_light() -> None:
    assert loaded_by("import tinyformer.targets").isdisjoint(HEAVY)


def test_cli_loads_no_model_library_before_it_is_needed() -> None:
    heavy = {"onnx", "onnxruntime", "unicorn", "capstone", "tinyformer._pulp"}
    assert loaded_by("import tinyformer.cli.app").isdisjoint(heavy)
