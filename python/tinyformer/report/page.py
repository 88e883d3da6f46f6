# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The explanation as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tinyformer.report.explanation import Explanation
from tinyformer.report.pareto import KINDS, pareto_svg
from tinyformer.report.timeline import buffers_in, step_name, timeline_svg

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).resolve().parent / "templates"
# A picture that is scaled down has texts too small to read: phones get one of their own.
_WIDE, _NARROW = 1000.0, 380.0


def explanation_page(explanation: Explanation) -> str:
    """The page, light and dark, for phones and screens."""
    template = environment().get_template("explanation.html.j2")
    return template.render(page=explanation)


def both_widths(draw: Callable[[float], str]) -> str:
    """A picture for screens and one for phones; the style sheet shows one of them."""
    from markupsafe import Markup

    return Markup(f'<div class="wide">{draw(_WIDE)}</div><div class="narrow">{draw(_NARROW)}</div>')


def environment() -> Environment:
    """Templates with the pictures as functions."""
    import jinja2

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(
        kinds=KINDS,
        pareto=lambda layer: both_widths(lambda width: pareto_svg(layer, width)),
        timeline=lambda plan, arena: both_widths(lambda width: timeline_svg(plan, arena, width)),
        buffers_in=buffers_in,
        step_name=step_name,
    )
    templates.filters["thousands"] = lambda value: f"{value:,.0f}"
    return templates
