# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs for the targets, made of the compiler's LLVM IR and the runtime."""

from tinyformer.firmware.build import Library, build_both, build_firmware, build_library
from tinyformer.firmware.image import FirmwareImage
from tinyformer.firmware.interface import NetworkInterface, TensorInterface
from tinyformer.firmware.runtime_files import runtime_dir

__all__ = [
    "FirmwareImage",
    "Library",
    "NetworkInterface",
    "TensorInterface",
    "build_both",
    "build_firmware",
    "build_library",
    "runtime_dir",
]
