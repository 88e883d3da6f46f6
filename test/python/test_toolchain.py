# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling, linking, and the cache of objects."""

from __future__ import annotations

import importlib.metadata
import tempfile
from pathlib import Path

import pytest
from timing import elf
from tinyformer.errors import ToolchainError
from tinyformer.toolchain import (
    archive,
    cache_directory,
    cached_object,
    compile_object,
    compile_to_ir,
    link_shared,
    zig_version,
)
from tinyformer.toolchain.cache import cache_key, cached_file

CORTEX_CORES = ("cortex-m4", "cortex-m7")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("core", CORTEX_CORES)
def test_ir_and_c_give_the_same_code(core: str, tmp_path: Path) -> None:
    source = write(tmp_path / "f.c", "int f(int a);int f(int a) { return a * 3 + 1; }")
    direct = compile_object(source, tmp_path / "direct.o", core)
    ir = compile_to_ir(source, tmp_path / "f.ll", core)
    through_ir = compile_object(ir, tmp_path / "through.o", core)
    assert text_section(direct) == text_section(through_ir) != b""


def text_section(path: Path) -> bytes:
    found = elf.sections(path)
    return b"".join(s.data for name, s in found.items() if name.startswith(".text"))


@pytest.mark.parametrize("core", CORTEX_CORES)
def test_no_frame_pointer_sanitiser_or_unwind_table(core: str, tmp_path: Path) -> None:
    text = "void g(int *); int f(int a, int b); int f(int a, int b) { g(&a); return a + b; }"
    ir = compile_to_ir(write(tmp_path / "f.c", text), tmp_path / "f.ll", core).read_text()
    for unwanted in ("frame-pointer", "ubsan", "uwtable", "sspstrong", "!DILocation", "llvm.trap"):
        assert unwanted not in ir


def test_the_fpu_can_be_used(tmp_path: Path) -> None:
    source = write(tmp_path / "v.s", ".syntax unified\n.thumb\nvmov s0, r0\nvmov r1, r2, d0\n")
    for core in CORTEX_CORES:
        code = text_section(compile_object(source, tmp_path / f"{core}.o", core))
        assert code == bytes.fromhex("00ee100a52ec101b")


def test_no_path_of_the_build_reaches_an_object(tmp_path: Path) -> None:
    objects = []
    for name in ("one", "another"):
        folder = tmp_path / name
        folder.mkdir()
        source = write(folder / "f.c", "const char *f(void); const char *f(void){return __FILE__;}")
        objects.append(compile_object(source, folder / "f.o", "cortex-m4").read_bytes())
    assert objects[0] == objects[1]
    assert b"another" not in objects[1]


def test_a_failure_carries_what_the_compiler_said(tmp_path: Path) -> None:
    source = write(tmp_path / "bad.c", "int f(void) { return undeclared; }")
    with pytest.raises(ToolchainError, match=r"compiling bad.c for cortex-m4 failed .*") as info:
        compile_object(source, tmp_path / "bad.o", "cortex-m4")
    assert "undeclared identifier 'undeclared'" in str(info.value)


def test_an_undefined_symbol_is_named_by_the_linker(tmp_path: Path) -> None:
    source = write(tmp_path / "f.c", "int g(void); int f(void); int f(void) { return g(); }")
    compiled = compile_object(source, tmp_path / "f.o", "x86-64")
    with pytest.raises(ToolchainError, match="undefined symbol: g"):
        link_shared([compiled], tmp_path / "f.so", "x86-64")


def test_an_unknown_core_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        ToolchainError, match="core 'z80'; known: cortex-m4, cortex-m7, ri5cy, x86-64"
    ):
        compile_object(tmp_path / "f.c", tmp_path / "f.o", "z80")


def test_archives_do_not_depend_on_time(tmp_path: Path) -> None:
    source = write(tmp_path / "f.c", "int f(void); int f(void) { return 1; }")
    compiled = compile_object(source, tmp_path / "f.o", "cortex-m4")
    first = archive([compiled], tmp_path / "lib1.a").read_bytes()
    compiled.touch()
    assert archive([compiled], tmp_path / "lib2.a").read_bytes() == first
    assert first.startswith(b"!<arch>\n")


def test_cached_objects_are_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = write(tmp_path / "f.c", "int f(void); int f(void) { return 1; }")
    first = cached_object(source, "cortex-m4")
    assert first.parent == cache_directory() == tmp_path / "cache" / "tinyformer"
    stamp = first.stat().st_mtime_ns
    assert cached_object(source, "cortex-m4") == first
    assert first.stat().st_mtime_ns == stamp


def test_a_changed_source_header_core_or_flag_is_another_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    header = write(tmp_path / "f.h", "#define ONE 1\n")
    source = write(tmp_path / "f.c", '#include "f.h"\nint f(void); int f(void) { return ONE; }')
    paths = [cached_object(source, "cortex-m4"), cached_object(source, "cortex-m7")]
    paths.append(cached_object(source, "cortex-m4", ("-fno-builtin",)))
    write(header, "#define ONE 2\n")
    paths.append(cached_object(source, "cortex-m4"))
    write(source, '#include "f.h"\nint f(void); int f(void) { return ONE + 1; }')
    paths.append(cached_object(source, "cortex-m4"))
    assert len(set(paths)) == len(paths)


def test_a_failed_build_leaves_nothing_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def fail(path: Path) -> None:
        path.write_text("half")
        raise ToolchainError("stopped")

    with pytest.raises(ToolchainError, match="stopped"):
        cached_file("thing", fail)
    assert list((tmp_path / "cache" / "tinyformer").iterdir()) == []
    assert cached_file("thing", Path.touch).is_file()


def test_cache_keys_separate_their_parts() -> None:
    assert cache_key(["ab", "c"]) != cache_key(["a", "bc"])


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    assert zig_version()
    zig_version.cache_clear()
    with monkeypatch.context() as patch, pytest.raises(ToolchainError, match="install ziglang"):
        patch.setattr(importlib.metadata, "version", missing)
        zig_version()
    assert zig_version()


def test_a_cache_that_cannot_be_made_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    occupied = write(tmp_path / "file", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(occupied))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = cached_file("thing", Path.touch)
    assert path == tmp_path / "temporary" / "tinyformer-cache" / "thing"
