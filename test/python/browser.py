# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pages in headless Chromium: how wide they are, what they log, what they ask the network for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_PROBE = (
    "<script>document.documentElement.dataset.overflow ="
    " document.documentElement.scrollWidth - document.documentElement.clientWidth</script></body>"
)
_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--disable-default-apps", "--enable-logging=stderr"),
)


@dataclass(frozen=True)
class Visit:
    """What happened to a page. `overflow` is how much wider it is than its window, in pixels."""

    overflow: int
    console: list[str]
    requests: list[str]
    screenshot: bytes


def browser() -> str:
    """Chromium, or this test is skipped: nothing but a browser can tell."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium here; on Debian: apt-get install chromium")


def visit(page: Path, width: int, height: int, folder: Path, *, dark: bool = False) -> Visit:
    """Opens a copy of `page` in a window of this size, with a new profile in `folder`."""
    folder.mkdir(parents=True)
    copy, log, picture = folder / "page.html", folder / "net.json", folder / "page.png"
    text = page.read_text("utf-8")
    assert text.count("</body>") == 1
    copy.write_text(text.replace("</body>", _PROBE), "utf-8")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    common = [
        *(browser(), *_QUIET, *scheme, f"--user-data-dir={folder / 'profile'}"),
        f"--window-size={width},{height}",
    ]
    dom = _run([*common, f"--log-net-log={log}", "--dump-dom", copy.as_uri()], folder)
    _run([*common, f"--screenshot={picture}", page.resolve().as_uri()], folder)
    overflow = re.search(r'data-overflow="(-?\d+)"', dom.stdout)
    assert overflow is not None, dom.stderr
    return Visit(
        overflow=int(overflow.group(1)),
        console=[line for line in dom.stderr.splitlines() if "CONSOLE" in line],
        requests=_requests(log),
        screenshot=picture.read_bytes(),
    )


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(folder)}
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=300, env=environment
    )


def _requests(log: Path) -> list[str]:
    """What pages asked for, other than files; the browser's own requests have no origin."""
    found = []
    for event in json.loads(log.read_text("utf-8"))["events"]:
        parameters = event.get("params", {})
        url, origin = str(parameters.get("url", "")), parameters.get("initiator")
        if re.match(r"(https?|wss?|ftp):", url) and origin not in (None, "not an origin"):
            found.append(url)
    return found
