# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer explain`: what it says is what the compiler did, in every form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from conftest import DIGITS, MODELS
from encoders import Encoder, build
from tinyformer.bench import layers
from tinyformer.compiler import Compilation
from tinyformer.options import SCHEDULES, CompileOptions
from tinyformer.report.explanation import Explanation, explain, layer_schedules
from tinyformer.report.page import explanation_page
from tinyformer.targets import TARGETS, get_target

MODEL, CALIBRATION = DIGITS / "digits.onnx", DIGITS / "calibration.npz"
# Without content, so without an end.
VOID = {"meta", "br", "link", "img", "input", "hr", "wbr"}


class Page(HTMLParser):
    """Checks that elements are nested, and keeps what tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.setdefault(self.open[-1], []).append(data)


def compile_attention(shape: tuple[int, int, int, int], options: CompileOptions) -> Compilation:
    layer = layers.attention(*shape, seed=0)
    samples = layer.samples
    target = get_target("stm32l4")
    compilation = Compilation(layer.module, "attention", samples, ["output"], target, options)
    compilation.run_to("bufferize")
    return compilation


def explain_encoder(tokens: int) -> Explanation:
    config = Encoder(tokens, 16, 8, 4, 32, "gelu", "none", False, "mean", False, seed=1)
    module, samples = build(config)
    options = CompileOptions(explain=True)
    target = get_target("stm32l4")
    compilation = Compilation(module, "encoder", {"x": samples}, ["y"], target, options)
    compilation.run_to("bufferize")
    return explain(compilation)


@pytest.mark.parametrize(
    ("tile", "optimize", "reason"),
    [
        ("auto", "cycles", "fastest"),
        ("auto", "size", "smallest-of-fast"),
        ("min", "cycles", "smallest"),
    ],
)
def test_candidates_are_those_of_the_search(tile: str, optimize: str, reason: str) -> None:
    options = CompileOptions("never", optimize, tile=tile, explain=True)
    compilation = compile_attention((9, 6, 3, 2), options)
    (choice,) = compilation.choices
    assert choice.reason == reason
    # Tiles are at most as high as the blocks of 6 and 4 rows of the last two kinds.
    assert {entry.schedule for entry in choice.considered} == {"none", *SCHEDULES}
    assert len(choice.considered) == 1 + 9 * (len(SCHEDULES) - 2) + 6 + 4
    assert choice.capacity == get_target("stm32l4").arena_capacity("sram1")
    for entry in choice.considered[::5]:
        if entry.schedule == "none":
            continue
        forced = CompileOptions("never", tile=str(entry.rows), schedule=entry.schedule)
        (schedule,) = compile_attention((9, 6, 3, 2), forced).schedules
        assert (schedule.arena_bytes, schedule.cycles) == (entry.arena_bytes, entry.cycles)
    (layer,) = explain(compilation).schedules
    assert [c.chosen for c in layer.candidates].count(True) == 1
    chosen = compilation.schedules[0]
    assert (layer.chosen.schedule, layer.chosen.rows) == (chosen.schedule, chosen.rows)
    assert layer.chosen in layer.notable


def test_nothing_beats_the_front() -> None:
    options = CompileOptions("never", explain=True)
    (layer,) = explain(compile_attention((17, 12, 5, 3), options)).schedules

    def beats(a: object, b: object) -> bool:
        pair_a, pair_b = (a.arena_bytes, a.cycles), (b.arena_bytes, b.cycles)
        return pair_a != pair_b and pair_a[0] <= pair_b[0] and pair_a[1] <= pair_b[1]

    for c in layer.candidates:
        beaten = any(beats(other, c) for other in layer.candidates)
        if c.on_front:
            assert not beaten
        elif not beaten:  # the same estimates as one on the front
            assert any((c.arena_bytes, c.cycles) == (f.arena_bytes, f.cycles) for f in layer.front)


def test_what_does_not_fit_is_marked() -> None:
    options = CompileOptions("never", tile="none", explain=True)
    layer = layers.attention(300, 4, 2, 2, seed=0)
    compilation = Compilation(
        layer.module,
        "attention",
        layer.samples,
        ["output"],
        get_target("stm32l4"),
        options,
    )
    compilation.run_to("tile")
    (choice,) = compilation.choices
    assert choice.reason == "only"
    assert choice.considered[0].arena_bytes > choice.capacity


def test_the_plan_is_valid_and_has_its_lower_bound() -> None:
    explanation = explain_encoder(13)
    (arena,), plan = explanation.arenas, explanation.plan
    assert len(plan.buffers) > 8
    for i, a in enumerate(plan.buffers):
        assert 0 <= a.first <= a.last < len(plan.steps)
        assert a.memory == arena.memory
        assert a.offset + a.size <= arena.size
        for b in plan.buffers[:i]:
            if a.first <= b.last and b.first <= a.last:
                assert a.offset + a.size <= b.offset or b.offset + b.size <= a.offset
    live = [
        sum(-(-b.size // 8) * 8 for b in plan.buffers if b.first <= step <= b.last)
        for step in range(len(plan.steps))
    ]
    assert max(live) == arena.lower_bound


def test_the_module_is_small_unless_asked() -> None:
    quiet = compile_attention((9, 6, 3, 2), CompileOptions())
    assert "considered" not in quiet.text() and "tinyattn.plan" not in quiet.text()
    assert quiet.choices == () and quiet.plan is None


def test_terminal(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    result = cli("explain", MODEL, "--target", "stm32l4", "--calibration", CALIBRATION)
    assert result.code == 0, result.err
    # The class token is all that is read of the last block.
    narrowed = "1 of 17 rows computed (nothing reads the other rows): blocks.1.attention, "
    assert result.out.splitlines()[1].startswith(narrowed)
    assert "about as fast as the fastest that fits the" in result.out
    assert re.search(r"weights not fused \(not fewer cycles\); [\d,]+ cycles plain", result.out)
    assert "weights fused (fewer cycles)" in result.out
    assert "arena in sram1" in result.out and "lower bound" in result.out
    plot = [line for line in result.out.splitlines() if line[8:9] in ("│", "┤")]
    assert sum("#" in line for line in plot) == 2  # one for each layer
    assert sum(line.count("o") for line in plot) >= 3


def test_json_and_page(cli, tmp_path: Path) -> None:
    page = tmp_path / "new" / "digits.html"
    result = cli(
        *("explain", MODEL, "--target", "stm32h7", "--calibration", CALIBRATION),
        *("--tile", "4", "--schedule", "rows-all", "--fuse", "never", "-o", page, "--json"),
    )
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    first, last = figures["schedules"]
    assert (first["layers"], last["layers"]) == (["blocks.0.attention"], ["blocks.1.attention"])
    for layer, rows in ((first, 4), (last, 1)):  # the last one has a single row
        assert layer["reason"] == "the only one that the options allow"
        (candidate,) = layer["candidates"]
        assert (candidate["schedule"], candidate["rows"]) == ("rows-all", rows)
    assert figures["narrowed"][0] == {"layer": "blocks.1.attention", "rows": 1, "of": 17}
    assert {entry["reason"] for entry in figures["fusion"]} == {"--fuse never"}
    assert figures["arenas"][0]["memory"] == "dtcm"
    assert figures["input_output_bytes"] == 64 + 10
    assert figures["page"] == str(page)
    titles = Page(page.read_text("utf-8")).texts["title"]
    assert any(title.startswith("chosen: rows-all, 4 rows: ") for title in titles)


def test_page_needs_nothing_else() -> None:
    text = explanation_page(explain_encoder(81))
    page = Page(text)
    assert len(text) < 2e6
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "use", "image"})
    for tag, attributes in page.tags:
        assert not {"src", "href", "xlink:href"} & attributes.keys(), tag
        assert not any("//" in (value or "") for value in attributes.values()), tag
    (style,) = page.texts["style"]
    assert "url(" not in style and "@import" not in style
    assert "prefers-color-scheme: dark" in style
    viewport = next(a for tag, a in page.tags if tag == "meta" and a.get("name") == "viewport")
    assert "width=device-width" in (viewport["content"] or "")


def test_pictures_have_all_points_and_buffers() -> None:
    explanation = explain_encoder(81)
    page = Page(explanation_page(explanation))
    titles = page.texts["title"]
    (layer,) = explanation.schedules
    points = [t for t in titles if " cycles" in t and not t.startswith("chosen")]
    # Twice: for screens and for phones.
    assert len(points) == 2 * (len(layer.candidates) - 1)
    front = [t for t in points if t.endswith(", on the front")]
    assert len(front) == 2 * (len(layer.front) - layer.chosen.on_front)
    chosen = [t for t in titles if t.startswith("chosen: ")]
    assert chosen == 2 * [
        f"chosen: {layer.chosen.name}: {layer.chosen.arena_bytes:,} bytes, "
        f"{layer.chosen.cycles:,} cycles"
    ]
    rectangles = [a for tag, a in page.tags if tag == "rect"]
    assert len(rectangles) == 2 * len(explanation.plan.buffers)
    for attributes in rectangles:
        assert float(attributes["width"] or 0) > 0 and float(attributes["height"] or 0) > 0


def test_layers_that_are_alike_are_shown_once() -> None:
    options = CompileOptions("never", explain=True)
    (choice,) = compile_attention((9, 6, 3, 2), options).choices
    twin = replace(choice, chosen=replace(choice.chosen, layer="twin"))
    other = replace(twin, capacity=choice.capacity - 1)
    together, alone = layer_schedules([choice, twin, other])
    assert together.layers == (choice.chosen.layer, "twin")
    assert alone.layers == ("twin",)


def test_one_row_is_no_rows() -> None:
    options = CompileOptions("never", tile="1", schedule="rows-all", explain=True)
    (layer,) = explain(compile_attention((9, 6, 3, 2), options)).schedules
    assert layer.chosen.name == "rows-all, 1 row"


def test_names_are_escaped() -> None:
    from tinyformer.report import svg

    assert svg.text(1, 2, "<b>&") == '<text x="1" y="2">&lt;b&gt;&amp;</text>'
    assert svg.element("g", aria_label='"') == '<g aria-label="&quot;"></g>'


def test_a_model_without_attention(cli, tmp_path: Path) -> None:
    samples = tmp_path / "samples.npy"
    np.save(samples, np.random.default_rng(0).normal(size=(4, 1, 7, 12)).astype(np.float32))
    page = tmp_path / "page.html"
    result = cli(
        *("explain", MODELS / "hand_gelu_half_first.onnx", "--target", "host"),
        *("--calibration", samples, "-o", page),
    )
    assert result.code == 0, result.err
    sentence = "This model has no attention layer, so there is no schedule to choose."
    assert sentence in result.out
    assert "arena in ram" in result.out
    read = Page(page.read_text("utf-8"))
    assert sentence in read.texts["p"]
    assert any(a.get("class", "").startswith("buffer") for tag, a in read.tags if tag == "rect")


def test_schedules_are_shown_where_nothing_fits(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = get_target("stm32l4")
    flash, sram1, sram2 = chip.memories
    memories = (flash, replace(sram1, size=1024), replace(sram2, size=chip.stack_bytes + 400))
    monkeypatch.setitem(TARGETS, "tiny", replace(chip, name="tiny", memories=memories))
    result = cli("explain", MODEL, "--target", "tiny", "--calibration", CALIBRATION)
    assert result.code == 2
    assert "arena needs" in result.err and "'sram1' holds 1024" in result.err
    # Beside the layer's input and output nothing is left.
    assert "none fits the 0 bytes that this layer may use; this is the smallest" in result.out
    assert "does not fit" in result.out
    as_json = cli("explain", MODEL, "--target", "tiny", "--calibration", CALIBRATION, "--json")
    assert as_json.code == 2 and as_json.out == ""


def test_errors(cli, tmp_path: Path) -> None:
    def error(model: Path, *more: object) -> str:
        result = cli("explain", model, "--target", "host", "--calibration", CALIBRATION, *more)
        assert result.code == 2
        return result.err

    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    assert "broken.onnx" in error(broken)
    assert "takes a file for the page" in error(MODEL, "-o", tmp_path)
    assert "cannot write" in error(MODEL, "-o", broken / "page.html")
    assert "--tile takes auto, none" in error(MODEL, "--tile", "some")
