# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the .mlir tests: lit test, or lit -D TINYFORMER_OPT=<path> test.

The tools come from the parameter or environment variable of their name, else
from the SDK's Python packages, else from PATH.
"""

import os
import shlex
import shutil
import sysconfig

import lit.formats

config.name = "TinyFormer"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["python"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.environ.get(
    "TINYFORMER_TEST_OUTPUT", os.path.join(os.getcwd(), "build", "lit")
)

packages = sysconfig.get_path("purelib")
scripts = sysconfig.get_path("scripts")


def find_tool(variable, name):
    """The command that runs tool `name`, or None."""
    chosen = lit_config.params.get(variable) or os.environ.get(variable)
    if chosen:
        return os.path.abspath(chosen)
    folders = [
        os.path.join(packages, "tinyformer", "bin"),
        os.path.join(packages, "mlir", "bin"),
        scripts,
    ]
    path = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    return shutil.which(name, path=path)


# FileCheck is called filecheck on PyPI.
for variable, name, word in [
    ("TINYFORMER_OPT", "tinyformer-opt", "tinyformer-opt"),
    ("MLIR_TRANSLATE", "mlir-translate", "mlir-translate"),
    ("FILECHECK", "filecheck", "FileCheck"),
]:
    tool = find_tool(variable, name)
    if not tool:
        lit_config.fatal(f"{name} not found: set {variable} to its path")
    # As a command only, not inside a path or after a colon.
    config.substitutions.append((rf"(?<![\w/.:-]){word}(?![\w/.-])", shlex.quote(tool)))
