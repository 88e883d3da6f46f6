# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks as shared libraries in this process."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from timing.elf import sections
from timing.networks import LINEAR_NETWORK, build, linear_reference, random_input
from tinyformer.errors import SimulationError
from tinyformer.simulators import open_session, simulate
from tinyformer.targets import get_target


def test_the_host_has_bits_but_no_cycles(tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, "host", tmp_path)
    result = simulate(image, get_target("host"), [random_input(7)], profile=True)
    assert result.outputs[0].tolist() == linear_reference(random_input(7)).tolist()
    assert result.cycles is None
    assert result.timing_model is None
    assert result.kernels == {}


def test_two_networks_at_once_do_not_mix(tmp_path: Path) -> None:
    other = """
    void *memset(void *, int, size_t);
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      (void)arena; memset(out, in[0], (size_t)(8 + (in[1] & 0)));
    }"""
    sessions = []
    for name, source in (("linear", LINEAR_NETWORK), ("other", other)):
        (tmp_path / name).mkdir()
        sessions.append(open_session(build(source, "host", tmp_path / name), get_target("host")))
    x = random_input(5)
    assert sessions[1].run([x]).outputs[0].tolist() == [x[0]] * 8
    assert sessions[0].run([x]).outputs[0].tolist() == linear_reference(x).tolist()


def test_a_library_uses_nothing_of_this_process(tmp_path: Path) -> None:
    source = """
    void *memcpy(void *, const void *, size_t);
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      (void)arena; memcpy(out, in, (size_t)(in[0] & 7));
    }"""
    assert ".rela.plt" not in sections(build(source, "host", tmp_path).path)


def test_another_machine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = build(LINEAR_NETWORK, "host", tmp_path)
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    with pytest.raises(SimulationError, match="Linux on x86-64, but this is linux on arm64"):
        open_session(image, get_target("host"))
