# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes docs/reference/: the dialect and the passes, from TableGen and the lit tests.

Where a description says "Example: test/….mlir.", the first case of that test is put in its
place, with what its RUN line makes of it.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "docs" / "reference"
PACKAGES = Path(sysconfig.get_path("purelib"))
TBLGEN = PACKAGES / "mlir" / "bin" / "mlir-tblgen"
OPT = PACKAGES / "tinyformer" / "bin" / "tinyformer-opt"
INCLUDE = ROOT / "include"

REFERENCES = {
    "dialect.md": [("-gen-dialect-doc", "TinyFormer/Dialect/TinyAttn/TinyAttnOps.td")],
    "armdsp.md": [("-gen-dialect-doc", "TinyFormer/Dialect/ArmDsp/ArmDspOps.td")],
    "xpulp.md": [("-gen-dialect-doc", "TinyFormer/Dialect/Xpulp/XpulpOps.td")],
    "passes.md": [
        ("-gen-pass-doc", "TinyFormer/Transforms/Passes.td"),
        ("-gen-pass-doc", "TinyFormer/Conversion/Passes.td"),
    ],
}


def tablegen(generator: str, source: str) -> str:
    """The documentation that TableGen makes of one file."""
    command = [str(TBLGEN), generator, str(INCLUDE / source)]
    command += ["-I", str(INCLUDE), "-I", str(PACKAGES / "mlir" / "include")]
    if generator == "-gen-dialect-doc":
        command += [f"-dialect={Path(source).parent.name.lower()}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def example(path: str) -> str:
    """The first case of a lit test, before and after its pass."""
    text = (ROOT / path).read_text("utf-8")
    run = re.search(r"RUN: tinyformer-opt %s (.*?)\|", text.replace("\\\n// RUN:", " "))
    if run is None:
        raise SystemExit(f"{path}: no RUN line of the form 'tinyformer-opt %s ... |'")
    driver = ("-split-input-file", "--split-input-file", "-mlir-print", "--mlir-print")
    flags = [flag for flag in shlex.split(run[1]) if not flag.startswith(driver)]
    case = text.split("// -----")[0]
    before = "\n".join(line for line in case.splitlines() if not line.lstrip().startswith("//"))
    after = subprocess.run(
        [str(OPT), *flags, "-"], input=before, check=True, capture_output=True, text=True
    ).stdout
    return (
        f"Example ([{path}](../../{path})), before:\n\n```mlir\n{before.strip()}\n```\n\n"
        f"after:\n\n```mlir\n{after.strip()}\n```\n"
    )


def main() -> None:
    """Write every reference page."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name, parts in REFERENCES.items():
        text = "\n".join(tablegen(*part) for part in parts)
        text = re.sub(r"Example: (test/\S+\.mlir)\.", lambda match: example(match[1]), text)
        (OUTPUT / name).write_text(text, "utf-8")
        sys.stdout.write(f"wrote docs/reference/{name}\n")


if __name__ == "__main__":
    main()
