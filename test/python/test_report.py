# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The report: its figures are those of the run, and a browser shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import REQUIRED, browser, visit
from encoders import Encoder, build
from test_explain import Page
from tinyformer import package
from tinyformer.bench import layers
from tinyformer.compiler import Compilation
from tinyformer.noise import fitted_db
from tinyformer.options import CompileOptions
from tinyformer.profile import OTHER, layer_of
from tinyformer.report.axes import byte_ticks, decimal_ticks, log_scale
from tinyformer.report.bars import bars_of, shorten
from tinyformer.report.explanation import explain
from tinyformer.report.measurement import Measurement, measure
from tinyformer.report.page import explanation_page
from tinyformer.report.report import decisions, report_page, verdict
from tinyformer.report.roofline import Machine, machine_of, roofline_svg
from tinyformer.targets import get_target
from tinyformer.work import Work, constants, work_by_layer

CONFIG = Encoder(21, 16, 8, 4, 32, "gelu", "none", False, "mean", False, seed=1)


def compile_encoder(target: str, *, fuse: str = "auto") -> Compilation:
    module, samples = build(CONFIG)
    options = CompileOptions(fuse, explain=True)
    return Compilation(module, "encoder", {"x": samples}, ["y"], get_target(target), options)


def measured(target: str, folder: Path) -> tuple[Compilation, Measurement]:
    compilation = compile_encoder(target)
    image = compilation.build(folder)
    return compilation, measure(compilation, image)


@pytest.fixture(scope="module")
def m4(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compilation, Measurement]:
    return measured("stm32l4", tmp_path_factory.mktemp("m4"))


def test_layers_add_up_to_the_run(m4: tuple[Compilation, Measurement]) -> None:
    compilation, m = m4
    assert m.profile is not None and compilation.quantized is not None
    assert sum(layer.cycles for layer in m.profile) == m.profile.cycles
    assert sum(layer.share for layer in m.profile) == pytest.approx(1)
    work = work_by_layer(compilation.quantized)
    assert m.profile.macs == sum(w.macs for w in work.values()) > 0
    assert {layer.name for layer in m.profile if layer.macs} == {
        n for n, w in work.items() if w.macs
    }
    cycles = [layer.cycles for layer in m.profile]
    assert cycles == sorted(cycles, reverse=True)


def test_no_layer_beats_the_peak(m4: tuple[Compilation, Measurement]) -> None:
    _, m = m4
    assert m.profile is not None and m.machine is not None
    for layer in m.profile:
        if layer.macs_per_cycle and layer.macs_per_byte:
            assert layer.macs_per_cycle < m.machine.roof(layer.macs_per_byte)


def test_work_of_attention_is_that_of_its_definition() -> None:
    tokens, width, inner, heads = 9, 12, 8, 2
    for fuse in ("never", "always"):
        layer = layers.attention(tokens, width, inner // heads, heads, seed=0)
        compilation = Compilation(
            *(layer.module, "a", layer.samples, ["y"]),
            get_target("host"),
            CompileOptions(fuse),
        )
        compilation.run_to("quantize")
        assert compilation.quantized is not None
        macs = {
            name.rsplit("/", 1)[1]: work.macs
            for name, work in work_by_layer(compilation.quantized).items()
        }
        projection, product = tokens * width * inner, tokens * tokens * inner
        plain = {"query": projection, "key": projection, "value": projection}
        plain |= {"scores": product, "context": product, "output": projection}
        # Heads are as wide as the input, which is transposed.
        wide = heads * width
        fused = {"query": tokens * width * wide, "value": 0, "output": tokens * width * wide}
        fused |= {"scores": tokens * tokens * wide, "context": tokens * tokens * wide}
        assert macs == (plain if fuse == "never" else fused) | {"softmax": 0}


def test_constants_are_all_there(m4: tuple[Compilation, Measurement]) -> None:
    compilation, m = m4
    assert compilation.quantized is not None
    found = constants(compilation.quantized)
    assert list(m.weights) == found
    assert [c.bytes for c in found] == sorted((c.bytes for c in found), reverse=True)
    assert any(c.layer.endswith("/query") and c.type == "i8" for c in found)


def test_noise_is_small_and_sorted(m4: tuple[Compilation, Measurement]) -> None:
    _, m = m4
    decibels = [layer.db for layer in m.noise]
    assert decibels == sorted(decibels)
    assert decibels[0] > 10
    assert len(m.noise) >= 5


def test_noise_of_a_scaled_copy_is_none() -> None:
    q = np.arange(-128, 128, dtype=np.int8)
    assert fitted_db(0.25 * (q.astype(float) + 7), q) > 200
    rng = np.random.default_rng(0)
    x = rng.normal(size=20000)
    noisy = np.round(x * 20 + rng.normal(size=20000))
    # Power 1 of the signal against 1/400 of noise and 1/12/400 of rounding.
    assert fitted_db(x, noisy) == pytest.approx(10 * np.log10(400 / (1 + 1 / 12)), abs=0.3)


def test_functions_belong_to_layers() -> None:
    work = {"a/query": Work(1, 1), "/b/MatMul": Work(1, 1)}
    assert layer_of("a/query/pack", work) == "a/query"
    assert layer_of("/b/MatMul", work) == "/b/MatMul"
    assert layer_of("/b/Concat", work) == "/b/Concat"
    assert layer_of(None, work) == OTHER


def test_decisions_have_reasons(m4: tuple[Compilation, Measurement]) -> None:
    _, m = m4
    found = decisions(m)
    kinds = {"weights", "feed-forward network", "schedule", "kernel"}
    assert {d.kind for d in found} == kinds
    assert all(d.layers and d.choice and d.reason for d in found)
    products = [d for d in found if d.choice.startswith("tf_product")]
    assert products and all("SMLAD" in d.reason for d in products)


def test_the_verdict_is_about_bits(m4: tuple[Compilation, Measurement]) -> None:
    _, m = m4
    assert verdict(m).good
    wrong = verdict(replace(m, bit_exact=False))
    assert not wrong.good and "other bits than the reference" in wrong.text


def test_the_roof() -> None:
    machine = Machine(2, 4, "")
    assert machine.roof(0.1) == pytest.approx(0.4)
    assert machine.roof(10) == 2
    cluster = machine_of(get_target("gap9"))
    assert cluster is not None and cluster.macs_per_cycle == 32
    assert machine_of(get_target("host")) is None


def test_slow_layers_are_shown_first(m4: tuple[Compilation, Measurement]) -> None:
    _, m = m4
    assert m.profile is not None
    bars = bars_of(m.profile, most=3)
    assert [bar.name for bar in bars[:3]] == [layer.name for layer in m.profile.layers[:3]]
    assert sum(bar.value for bar in bars) == m.profile.cycles
    assert shorten("/a/very/long/name", 60) == "…ong/name"


def test_pictures_have_all_layers(m4: tuple[Compilation, Measurement]) -> None:
    _, m = m4
    assert m.profile is not None and m.machine is not None
    drawn = roofline_svg(m.profile, m.machine, 1000)
    assert drawn.count("<circle") == sum(1 for layer in m.profile if layer.macs)


@pytest.mark.parametrize("target", ["stm32l4", "gap9", "host"])
def test_the_page_is_complete_and_stands_alone(target: str, tmp_path: Path) -> None:
    _, m = measured(target, tmp_path)
    text = report_page(m)
    page = Page(text)
    assert len(text.encode()) < 2e6
    headings = page.texts["h2"]
    assert ("Where the time goes" in headings) == (target != "host")
    for heading in ("Memory over time", "What was decided, and why", "What quantisation costs"):
        assert heading in headings
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "use", "image"})
    for tag, attributes in page.tags:
        assert "src" not in attributes, tag
        assert (attributes.get("href") or "#").startswith("#")
    (style,) = page.texts["style"]
    assert "url(" not in style and "@import" not in style
    anchors = {a["href"] for tag, a in page.tags if tag == "a"}
    assert anchors <= {f"#{a['id']}" for _, a in page.tags if "id" in a}


@pytest.mark.slow
def test_a_browser_shows_it(tmp_path: Path) -> None:
    package.write(compile_encoder("stm32l4"), tmp_path / "out")
    page = tmp_path / "out" / "report.html"
    assert page.stat().st_size < 2_000_000
    pictures = []
    for width, dark in ((1400, False), (400, False), (400, True)):
        seen = visit(page, width, 2000, tmp_path / f"{width}{dark}", dark=dark)
        assert seen.console == []
        assert seen.requests == []
        assert seen.overflow <= 0, f"wider than {width} pixels"
        assert seen.cut == []
        pictures.append(seen.screenshot)
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert len(set(pictures)) == 3


@pytest.mark.slow
def test_a_browser_shows_the_explanation(tmp_path: Path) -> None:
    compilation = compile_encoder("gap9")
    compilation.run_to("bufferize")
    page = tmp_path / "page.html"
    page.write_text(explanation_page(explain(compilation)), "utf-8")
    seen = visit(page, 400, 800, tmp_path / "profile")
    assert (seen.overflow, seen.cut, seen.console, seen.requests) == (0, [], [], [])


@pytest.mark.parametrize(
    ("values", "decimal", "bytes_"),
    [
        ([900, 1_200_000], [1000, 5000, 20_000, 100_000, 500_000], [1 << 10, 1 << 13, 1 << 16]),
        ([68_657, 76_506], [65_000, 70_000, 75_000], None),
        ([1704, 2688], None, [2048, 2560]),
        ([5, 5], [5], [5]),
    ],
)
def test_axes_have_figures(
    values: list[float], decimal: list[int] | None, bytes_: list[int] | None
) -> None:
    scale = log_scale(values, 0, 100)
    for ticks, expected in ((decimal_ticks(scale, 8), decimal), (byte_ticks(scale, 4), bytes_)):
        assert all(scale.low <= tick <= scale.high for tick in ticks)
        assert 1 <= len(ticks) <= 8
        assert expected is None or ticks[: len(expected)] == expected


def test_a_missing_browser_may_be_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium here"):
        browser()
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match=f"no Chromium here.*{REQUIRED} is set"):
        browser()


@pytest.mark.slow
def test_the_browser_would_tell(tmp_path: Path) -> None:
    """A page that is all that the report must not be."""
    page = tmp_path / "bad.html"
    page.write_text(
        "<!doctype html><html><body><div style='width:3000px'>wide</div>"
        "<img src='http://127.0.0.1:9/picture.png'>"
        "<script>undefinedFunction()</script></body></html>"
    )
    seen = visit(page, 400, 600, tmp_path / "profile")
    assert seen.overflow > 2000
    assert any("undefinedFunction" in line for line in seen.console)
    assert seen.requests and all("127.0.0.1:9" in url for url in seen.requests)
