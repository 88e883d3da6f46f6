# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Firmware: sizes, memory map, generated C, determinism, and what does not fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from timing.elf import sections, symbols
from timing.networks import LINEAR_NETWORK, build, interface, tensor, to_ir
from tinyformer.errors import DoesNotFitError, InterfaceError, ToolchainError
from tinyformer.firmware import (
    NetworkInterface,
    TensorInterface,
    build_firmware,
    build_library,
    runtime_dir,
)
from tinyformer.targets import get_target

CHIPS = ("stm32l4", "stm32h7")


@pytest.mark.parametrize("chip", CHIPS)
def test_sizes_are_those_of_the_sections(chip: str, tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, chip, tmp_path)
    found = sections(image.path)
    target = get_target(chip)
    assert image.code_bytes == found[".text"].size > 300
    assert image.weight_bytes == found[".rodata"].size == 256
    assert image.flash_bytes == image.code_bytes + image.weight_bytes + 64
    assert image.ram_bytes[target.arena_memories[0]] >= 256
    stack_and_data = image.ram_bytes[target.stack_memory], image.ram_bytes[target.data_memory]
    assert stack_and_data[0] >= target.stack_bytes
    assert stack_and_data[1] >= 24


@pytest.mark.parametrize("chip", CHIPS)
def test_everything_lies_where_the_chip_has_it(chip: str, tmp_path: Path) -> None:
    target = get_target(chip)
    image = build(LINEAR_NETWORK, chip, tmp_path)
    found, names = sections(image.path), symbols(image.path)
    arena = target.memory(target.arena_memories[0])
    assert found[".vectors"].address == 0x08000000
    assert names["tf_stack_limit"] == target.memory(target.stack_memory).base
    assert names["tf_stack_top"] == names["tf_stack_limit"] + target.stack_bytes
    assert arena.base <= names[f"arena_{arena.name}"] < arena.end
    data = target.memory(target.data_memory)
    assert data.base <= names["tf_input_0"] < names["tf_output_0"] < data.end
    assert found[f".arena.{arena.name}"].kind == found[".noinit"].kind == "SHT_NOBITS"


def test_the_vector_table_starts_with_stack_and_reset(tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, "stm32l4", tmp_path)
    names = symbols(image.path)
    table = sections(image.path)[".vectors"].data
    words = [int.from_bytes(table[i : i + 4], "little") for i in range(0, 64, 4)]
    assert words[0] == names["tf_stack_top"]
    assert words[1] == names["Reset_Handler"]
    assert words[1] & 1 == 1
    assert words[3] == names["HardFault_Handler"]
    assert words[6] == names["UsageFault_Handler"]


@pytest.mark.parametrize("name", (*CHIPS, "gap9", "host"))
def test_two_builds_in_different_directories_are_equal(name: str, tmp_path: Path) -> None:
    built = []
    for folder in ("here", "there/deeper"):
        directory = tmp_path / folder
        directory.mkdir(parents=True)
        built.append(build(LINEAR_NETWORK, name, directory).path.read_bytes())
    assert built[0] == built[1]
    assert str(tmp_path).encode() not in built[0]


def test_unused_functions_and_constants_are_dropped(tmp_path: Path) -> None:
    unused = "extern const int8_t unused[4096]; const int8_t unused[4096] = {1};\n"
    image = build(unused + LINEAR_NETWORK, "stm32l4", tmp_path)
    assert "unused" not in symbols(image.path)
    assert image.weight_bytes == 256


def test_integer_networks_have_no_float_arithmetic(tmp_path: Path) -> None:
    from tinyformer.simulators.decode import Kind, decode

    image = build(LINEAR_NETWORK, "stm32h7", tmp_path)
    section = sections(image.path)[".text"]
    instructions = decode(section.data, section.address)
    assert len(instructions) > 100
    assert not any(i.kind is Kind.FLOAT and i.operation != "vmov" for i in instructions)


def test_the_header_has_sizes_and_quantisation(tmp_path: Path) -> None:
    target = get_target("stm32l4")
    net = NetworkInterface(
        "two_in",
        (
            TensorInterface("ids */ \\", (2, 3), 6, 1.0, 0),
            TensorInterface("x", (4,), 4, 1e-3, -128),
        ),
        (TensorInterface("logits", (1, 5), 5, 0.1, 7),),
        {"sram1": 32, "sram2": 16},
    )
    source = """
    void tf_two_in_invoke(const int8_t *a, const int8_t *b, int8_t *y, uint8_t *s, uint8_t *t);
    void tf_two_in_invoke(const int8_t *a, const int8_t *b, int8_t *y, uint8_t *s, uint8_t *t) {
      s[0] = (uint8_t)a[1]; t[0] = (uint8_t)b[2]; y[0] = (int8_t)(s[0] + t[0]);
    }"""
    image = build_firmware(net, to_ir(source, target, tmp_path), target, tmp_path / "out")
    text = image.header.read_text()
    macros = dict(re.findall(r"#define (TWO_IN_\w+) (\S+)", text))
    assert macros == {
        "TWO_IN_INPUT_0_BYTES": "6",
        "TWO_IN_INPUT_0_SCALE": "1.0f",
        "TWO_IN_INPUT_0_ZERO_POINT": "(0)",
        "TWO_IN_INPUT_1_BYTES": "4",
        "TWO_IN_INPUT_1_SCALE": "0.001f",
        "TWO_IN_INPUT_1_ZERO_POINT": "(-128)",
        "TWO_IN_OUTPUT_0_BYTES": "5",
        "TWO_IN_OUTPUT_0_SCALE": "0.1f",
        "TWO_IN_OUTPUT_0_ZERO_POINT": "(7)",
        "TWO_IN_ARENA_SRAM1_BYTES": "32",
        "TWO_IN_ARENA_SRAM2_BYTES": "16",
    }
    declaration = "void two_in_run(const int8_t *input_0, const int8_t *input_1, int8_t *output_0);"
    assert declaration in text
    names = symbols(image.path)
    assert 0x20000000 <= names["arena_sram1"] < 0x20018000
    assert 0x10000000 <= names["arena_sram2"] < 0x10008000


def test_a_library_has_the_network_and_its_entry(tmp_path: Path) -> None:
    target = get_target("stm32h7")
    ir = to_ir(LINEAR_NETWORK, target, tmp_path)
    library = build_library(interface(target), ir, target, tmp_path / "lib")
    content = library.archive.read_bytes()
    assert library.archive.name == "libnet.a"
    assert b"net_run" in content
    assert b"linear_hidden" in content
    assert b"Reset_Handler" not in content
    assert "net_run" in library.header.read_text()


def test_an_arena_that_does_not_fit(tmp_path: Path) -> None:
    net = NetworkInterface("net", (tensor("x", 16),), (tensor("y", 8),), {"sram1": 98305})
    with pytest.raises(
        DoesNotFitError,
        match="arena needs 98305 bytes but 'sram1' of stm32l4 holds 98304; use a smaller tile",
    ):
        build_firmware(net, "", get_target("stm32l4"), tmp_path)


def test_an_arena_beside_stack_and_data_that_does_not_fit(tmp_path: Path) -> None:
    net = NetworkInterface("net", (tensor("x", 16),), (tensor("y", 8),), {"sram2": 30000})
    with pytest.raises(DoesNotFitError) as info:
        build_firmware(net, "", get_target("stm32l4"), tmp_path)
    assert "arena needs 30000 bytes but 'sram2' of stm32l4 holds 32768" in str(info.value)
    assert "of which the stack take 4096" in str(info.value)
    assert "put this arena into 'sram1', which has 98304" in str(info.value)


def test_inputs_that_do_not_fit(tmp_path: Path) -> None:
    net = NetworkInterface("net", (tensor("x", 30000),), (tensor("y", 8),), {})
    with pytest.raises(DoesNotFitError, match="needs 34168 bytes but 'sram2' of stm32l4 holds 327"):
        build_firmware(net, "", get_target("stm32l4"), tmp_path)


def test_the_largest_arena_fits(tmp_path: Path) -> None:
    net = NetworkInterface("net", (tensor("x", 16),), (tensor("y", 8),), {"sram1": 98304})
    image = build(LINEAR_NETWORK, "stm32l4", tmp_path, net)
    assert image.ram_bytes["sram1"] == 98304


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    source = """
    static const int8_t big[1100000] = {1};
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      out[0] = big[*(const uint16_t *)in + arena[0]];
    }"""
    with pytest.raises(DoesNotFitError) as info:
        build(source, "stm32l4", tmp_path)
    found = re.search(
        r"code and weights need (\d+) bytes but 'flash' of stm32l4 holds 1048576", str(info.value)
    )
    assert found is not None
    assert 1100000 < int(found.group(1)) < 1101000


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="undefined symbol: tf_net_invoke"):
        build("", "stm32l4", tmp_path)


@pytest.mark.parametrize("name", ["Net", "9net", "", "net run", "nét"])
def test_names_that_are_no_c_identifiers(name: str) -> None:
    with pytest.raises(InterfaceError, match="cannot name a network"):
        NetworkInterface(name, (), (tensor("y", 1),), {})


def test_tensors_must_be_consistent() -> None:
    with pytest.raises(InterfaceError, match="that is 6 bytes of int8, but is declared with 7"):
        TensorInterface("x", (2, 3), 7, 1.0, 0)
    with pytest.raises(InterfaceError, match="zero point 128, outside"):
        TensorInterface("x", (2,), 2, 1.0, 128)
    with pytest.raises(InterfaceError, match="has no output"):
        NetworkInterface("net", (), (), {})
    with pytest.raises(InterfaceError, match="arena of 'net' in 'sram1' has 0 bytes"):
        NetworkInterface("net", (), (tensor("y", 1),), {"sram1": 0})


def test_the_runtime_is_found_in_a_checkout() -> None:
    for name in ("cortex-m/startup.c", "common/memory.c", "simulator/block_profile.c"):
        assert (runtime_dir() / name).is_file()


def test_ir_as_mlir_translate_writes_it(tmp_path: Path) -> None:
    ir = """
    @weights = private constant [4 x i8] c"\\01\\02\\03\\04", align 4
    declare i32 @llvm.arm.smlad(i32, i32, i32)
    define internal void @layer_0(ptr %x, ptr %y) noinline {
      %a = load volatile i32, ptr %x, align 4
      %b = load volatile i32, ptr @weights, align 4
      %c = call i32 @llvm.arm.smlad(i32 %a, i32 %b, i32 1)
      %d = trunc i32 %c to i8
      store i8 %d, ptr %y, align 1
      ret void
    }
    define void @tf_net_invoke(ptr %x, ptr %y, ptr %arena) {
      call void @layer_0(ptr %x, ptr %y)
      ret void
    }
    """
    from tinyformer.simulators.decode import decode

    target = get_target("stm32h7")
    image = build_firmware(interface(target), ir, target, tmp_path)
    assert "layer_0" in symbols(image.path)
    section = sections(image.path)[".text"]
    assert "smlad" in {i.operation for i in decode(section.data, section.address)}
