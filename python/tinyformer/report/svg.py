# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SVG as text. Colours come from the page's style sheet, by class."""

from __future__ import annotations

from html import escape


def element(name: str, *content: str, **attributes: str | float) -> str:
    """`<name attributes>content</name>`; `content` is markup, attributes are escaped.

    `class_` is spelled class, and other underscores are hyphens.
    """
    fields = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{fields}>{''.join(content)}</{name}>"


def text(x: float, y: float, content: str, **attributes: str | float) -> str:
    """A line of text, escaped."""
    return element("text", escape(content), x=x, y=y, **attributes)


def title(content: str) -> str:
    """What a pointer sees that rests on the element that this is put into."""
    return element("title", escape(content))


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def drawing(width: float, height: float, label: str, *content: str, class_: str) -> str:
    """The whole picture, as wide as its surroundings allow; `label` is for screen readers."""
    return element(
        "svg",
        *content,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="img",
        aria_label=label,
        class_=class_,
    )


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return escape(value, quote=True)
    return f"{value:.1f}".removesuffix(".0")
